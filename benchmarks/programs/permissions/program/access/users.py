from dataclasses import dataclass, field


@dataclass(frozen=True)
class User:
    name: str
    roles: frozenset = field(default_factory=frozenset)
    active: bool = True
