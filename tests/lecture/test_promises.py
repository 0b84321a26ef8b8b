"""What the lecture says of its programs holds on every machine, and the unlocked ones go wrong as it says.

The same claims at full size: `make sweep`, or TRAPLINE_SWEEP=1 here.
"""

import pytest

from tests.lecture import checks
from tests.support.machines import FULL
from tests.sweeps import claims

SEEDS = 50 if FULL else 2
DELIVERIES = 300 if FULL else 6


@pytest.mark.parametrize("driver", claims.DRIVERS[:2])
@pytest.mark.parametrize("config", claims.CONFIGS)
@pytest.mark.parametrize("name", checks.PROMISED)
def test_the_lecture_is_right_about(name, config, driver):
    claims.lecture_holds(name, config, driver, range(SEEDS if driver == "inline" else SEEDS // 2))


@pytest.mark.parametrize("name", ["lock_nolock", "thread_nolock"])
def test_without_the_lock_launching_it_a_few_times_shows_strange_values(name):
    assert claims.first_wrong_seed(name, range(20)) < 20


@pytest.mark.parametrize("name", ["lock", "thread"])
def test_with_the_lock_no_update_is_ever_lost(name):
    claims.never_wrong(name, range(500 if FULL else 10))


@pytest.mark.parametrize("name", checks.CHECKS)
def test_no_order_of_messages_breaks_a_law_or_leaves_anything(name):
    claims.survives_every_delivery(name, range(DELIVERIES))
