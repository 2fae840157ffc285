"""Names as people have them, each with the letters that stand for it in an email address."""

from typing import NamedTuple


class Name(NamedTuple):
    """One name, and its stem in an address."""

    written: str
    stem: str


class Script(NamedTuple):
    """Given and family names of one script; `weight` is its share among all people."""

    name: str
    weight: int
    given: tuple[Name, ...]
    family: tuple[Name, ...]


def _names(text: str) -> tuple[Name, ...]:
    """Read ``written=stem`` words; a word without a stem is its own, in lower case."""
    pairs = (word.partition("=") for word in text.split())
    return tuple(Name(written, stem or written.lower()) for written, _, stem in pairs)


SCRIPTS = (
    Script(
        "Latin",
        44,
        _names("Ada Ben Carla Daniel Emma Frank Grace Henry Ines Jack Kate Liam Maria Noah Olivia"),
        _names("Adams Baker Carter Davis Evans Fischer Gomez Hill Irving Jones Keller Smith Young"),
    ),
    Script(
        "Latin with diacritics",
        26,
        _names("Zoë=zoe Jörg=joerg Søren=soren Chloé=chloe Łukasz=lukasz Inês=ines Győző=gyozo"),
        _names(
            "Müller=mueller Nuñez=nunez Dvořák=dvorak Ångström=angstrom Çelik=celik O'Néill=oneill"
        ),
    ),
    Script(
        "Cyrillic",
        5,
        _names("Анна=anna Дмитрий=dmitri Ольга=olga Сергей=sergei Юлия=yulia"),
        _names("Иванова=ivanova Петров=petrov Шевченко=shevchenko Щукин=shchukin"),
    ),
    Script(
        "Greek",
        4,
        _names("Ελένη=eleni Γιώργος=giorgos Σοφία=sofia Νίκος=nikos"),
        _names("Παπαδόπουλος=papadopoulos Αγγέλου=angelou Ξενάκης=xenakis"),
    ),
    Script(
        "Arabic",
        4,
        _names("محمد=mohammed ليلى=layla يوسف=youssef نور=nour"),
        _names("الهاشمي=alhashimi حداد=haddad منصور=mansour"),
    ),
    Script(
        "Hebrew",
        3,
        _names("נועה=noa דוד=david יעל=yael אברהם=avraham"),
        _names("כהן=cohen לוי=levi מזרחי=mizrahi"),
    ),
    Script(
        "Chinese",
        4,
        _names("伟=wei 秀英=xiuying 明=ming 小龙=xiaolong"),
        _names("王=wang 李=li 张=zhang 欧阳=ouyang"),
    ),
    Script(
        "Japanese",
        3,
        _names("さくら=sakura 太郎=taro ハナ=hana 健一=kenichi"),
        _names("田中=tanaka 佐藤=sato 渡邉=watanabe"),
    ),
    Script(
        "Korean",
        3,
        _names("지훈=jihoon 서연=seoyeon 민준=minjun"),
        _names("김=kim 박=park 최=choi"),
    ),
    Script(
        "Devanagari",
        2,
        _names("आरव=aarav प्रिया=priya सुनील=sunil"),
        _names("शर्मा=sharma गुप्ता=gupta सिंह=singh"),
    ),
    Script(
        "Thai",
        2,
        _names("สมชาย=somchai มาลี=malee กมล=kamon"),
        _names("ใจดี=jaidee ศรีสุข=srisuk ทองคำ=thongkham"),
    ),
)
