import pytest
from bus.events import Bus


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def seen():
    return []
