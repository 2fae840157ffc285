"""A store of tokens on the CRM's database."""

import pytest

from constant_contact.store.database import Database
from tests.support import MemoryTokenStore


@pytest.fixture
def store(crm: Database) -> MemoryTokenStore:
    return MemoryTokenStore(crm)
