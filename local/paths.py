"""Where things lie in the repository."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# tests have a place of their own, so that they never meet what a user has running here
LOCAL = Path(os.environ.get("LOCAL_FOLDER") or ROOT / ".local")
LOGS = LOCAL / "logs"
