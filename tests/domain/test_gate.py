"""The gate, for any order of endings and any number of callers."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bug_lsp.domain.gate import (
    Board,
    Deliver,
    Orchestrate,
    Prove,
    Seat,
    Start,
    decide,
    finished,
    will_orchestrate,
)
from bug_lsp.domain.run import Status

TERMINAL = [Status.COMPLETED, Status.FAILED, Status.CANCELLED]
statuses = st.sampled_from(list(Status))
seats = st.builds(
    lambda status, started: Seat("s", status, started or status is Status.RUNNING),
    statuses,
    st.booleans(),
)
boards = st.builds(
    lambda debug, proof, orchestrator, orchestrate, covered, wanted, most, cancelled, delivered: (
        Board(
            debug=[Seat(str(n), seat.status, seat.started) for n, seat in enumerate(debug)],
            proof=proof[0] and Seat("p", proof[0].status, proof[0].started),
            proved=proof[0] is not None and proof[1],
            provable=proof[2],
            orchestrator=orchestrator,
            orchestrate=orchestrate,
            covered=covered or orchestrator is None,
            wanted=wanted,
            max_parallel=most,
            cancelled=cancelled,
            delivered=frozenset(delivered),
        )
    ),
    st.lists(seats, min_size=1, max_size=16),
    st.tuples(st.none() | seats, st.booleans(), st.booleans()),
    st.none() | seats,
    st.sampled_from(["auto", "never"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 64),
    st.booleans(),
    st.lists(st.sampled_from(["0", "s"])),
)


@given(boards)
def test_what_is_decided_fits_the_board(board: Board) -> None:
    decisions = decide(board)
    ended = all(seat.status.terminal for seat in board.debug)
    by_id = {seat.session_id: seat for seat in board.debug}
    busy = sum(seat.started and not seat.status.terminal for seat in board.debug)
    starts = [item.session_id for item in decisions if isinstance(item, Start)]
    if not ended:
        assert len(starts) == len(decisions)
        assert starts == sorted(starts, key=int)
        assert busy + len(starts) <= max(board.max_parallel, busy)
        for session_id in starts:
            assert not by_id[session_id].started
            assert not by_id[session_id].status.terminal
    if Prove() in decisions:
        assert ended
        assert board.provable
        assert not board.proved
        assert not board.cancelled
        assert board.proof is None or board.proof.status.terminal
    if Orchestrate() in decisions:
        assert ended
        assert board.proved or not board.provable, "whoever concludes knows what was checked"
        assert board.proof is None or board.proof.status.terminal
        latest = board.orchestrator
        assert latest is None or (latest.status.terminal and not board.covered)
        assert len(board.debug) > 1 or board.wanted or latest is not None
        assert board.orchestrate == "auto" or board.wanted
        assert not board.cancelled
    for item in decisions:
        if isinstance(item, Deliver):
            assert ended
            assert item.session_id not in board.delivered
    assert len(decisions) == len(set(decisions))
    if finished(board):
        assert decisions == ()


@given(boards)
def test_a_cancelled_run_starts_no_debug_session_and_no_orchestrator(board: Board) -> None:
    if board.cancelled and board.orchestrator is None:
        assert not any(isinstance(item, Start | Prove | Orchestrate) for item in decide(board))


RUNNING = Seat("0", Status.RUNNING, started=True)
ENDED = Seat("1", Status.FAILED, started=True)
WORKING = Board(
    debug=[RUNNING, ENDED],
    proof=None,
    proved=False,
    provable=True,
    orchestrator=None,
    orchestrate="auto",
    covered=True,
    wanted=False,
    max_parallel=1,
    cancelled=False,
    delivered=frozenset(),
)
BEFORE = Seat("s", Status.COMPLETED, started=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"proof": Seat("p", Status.RUNNING, started=True)}, True),
        ({"debug": [RUNNING]}, False),
        ({"debug": [RUNNING], "wanted": True}, True),
        ({"debug": [ENDED, ENDED]}, False),
        ({"orchestrate": "never"}, False),
        ({"orchestrate": "never", "wanted": True}, True),
        ({"cancelled": True}, False),
        ({"orchestrator": BEFORE, "covered": False}, True),
        ({"orchestrator": BEFORE, "covered": True}, False),
    ],
)
def test_while_sessions_work_it_is_known_whether_an_orchestrator_will_start(
    change: dict[str, object], expected: bool
) -> None:
    assert will_orchestrate(dataclasses.replace(WORKING, **change)) is expected  # type: ignore[arg-type]


class Gate(RuleBasedStateMachine):
    """A run that is moved on by callers who look at different times: each decides on the board it
    saw under the lock, as `session.gate` does, and what must happen once is claimed."""

    sessions = Bundle("sessions")

    @initialize(
        count=st.integers(1, 8), most=st.integers(1, 4), auto=st.booleans(), provable=st.booleans()
    )
    def create(self, count: int, most: int, auto: bool, provable: bool) -> None:
        self.most = most
        self.provable = provable
        self.proof: tuple[str, Status, bool] | None = None
        self.proved: list[frozenset[str]] = []
        """What each proof is about, in the order of their claims."""
        self.orchestrate = "auto" if auto else "never"
        self.status = dict.fromkeys(map(str, range(count)), Status.PENDING)
        self.started: list[str] = []
        self.orchestrator: tuple[str, Status, bool] | None = None
        self.read: list[frozenset[str]] = []
        """What each orchestrator has read, in the order of their claims."""
        self.deliveries: list[str] = []
        self.cancelled = self.wanted = False
        self.next = count

    def board(self) -> Board:
        return Board(
            debug=[
                Seat(name, status, name in self.started) for name, status in self.status.items()
            ],
            proof=Seat(*self.proof) if self.proof else None,
            proved=bool(self.proved) and self.proved[-1] == frozenset(self.status),
            provable=self.provable,
            orchestrator=Seat(*self.orchestrator) if self.orchestrator else None,
            orchestrate=self.orchestrate,
            covered=not self.read or self.read[-1] == frozenset(self.status),
            wanted=self.wanted,
            max_parallel=self.most,
            cancelled=self.cancelled,
            delivered=frozenset(self.deliveries),
        )

    @rule(callers=st.integers(1, 50))
    def advance(self, callers: int) -> None:
        for _ in range(callers):
            for decision in decide(self.board()):
                match decision:
                    case Start(session_id=name) if name.startswith("boss"):
                        self.orchestrator = (name, Status.RUNNING, True)
                    case Start(session_id=name) if name.startswith("proof"):
                        self.proof = (name, Status.RUNNING, True)
                    case Prove():
                        assert all(status.terminal for status in self.status.values())
                        self.proof = (f"proof{len(self.proved)}", Status.PENDING, False)
                        self.proved.append(frozenset(self.status))
                    case Start(session_id=name):
                        assert not self.cancelled
                        assert name not in self.started
                        self.started.append(name)
                        self.status[name] = Status.RUNNING
                    case Orchestrate():
                        assert all(status.terminal for status in self.status.values())
                        self.orchestrator = (f"boss{len(self.read)}", Status.PENDING, False)
                        self.read.append(frozenset(self.status))
                    case Deliver(session_id=name):
                        assert name not in self.deliveries
                        self.deliveries.append(name)

    @rule(pick=st.randoms(use_true_random=False), how=st.sampled_from(TERMINAL))
    def one_ends(self, pick: object, how: Status) -> None:
        running = [name for name, status in self.status.items() if status is Status.RUNNING]
        if running:
            self.status[pick.choice(running)] = how

    @rule(pick=st.randoms(use_true_random=False))
    def one_that_waits_is_cancelled(self, pick: object) -> None:
        waiting = [name for name, status in self.status.items() if status is Status.PENDING]
        if waiting:
            self.status[pick.choice(waiting)] = Status.CANCELLED

    @rule(pick=st.randoms(use_true_random=False))
    def one_that_has_ended_is_retried(self, pick: object) -> None:
        ended = [name for name, status in self.status.items() if status.terminal]
        if ended:
            del self.status[pick.choice(ended)]
            self.an_agent_is_added()

    @rule()
    def an_agent_is_added(self) -> None:
        self.status[str(self.next)] = Status.PENDING
        self.next += 1
        self.cancelled = False

    @rule()
    def a_synthesis_is_wanted_now(self) -> None:
        self.wanted, self.cancelled = True, False
        for name, status in self.status.items():
            if not status.terminal:
                self.status[name] = Status.CANCELLED

    @rule(how=st.sampled_from(TERMINAL))
    @precondition(lambda self: self.orchestrator and self.orchestrator[1] is Status.RUNNING)
    def the_orchestrator_ends(self, how: Status) -> None:
        self.orchestrator = (self.orchestrator[0], how, True)

    @rule(how=st.sampled_from(TERMINAL))
    @precondition(lambda self: self.proof and self.proof[1] is Status.RUNNING)
    def the_proof_ends(self, how: Status) -> None:
        self.proof = (self.proof[0], how, True)

    @rule()
    @precondition(lambda self: not self.orchestrator or self.orchestrator[1].terminal)
    def the_orchestrator_is_asked_for(self) -> None:
        """As `orchestrateDebugRun` does: claimed at once, started when the proof is done."""
        ended = all(status.terminal for status in self.status.values())
        if ended and (not self.read or self.read[-1] != frozenset(self.status)):
            self.cancelled = False
            self.orchestrator = (f"boss{len(self.read)}", Status.PENDING, False)
            self.read.append(frozenset(self.status))

    @rule()
    def the_run_is_cancelled(self) -> None:
        self.cancelled = True
        for name, status in self.status.items():
            if not status.terminal:
                self.status[name] = Status.CANCELLED
        if self.orchestrator and not self.orchestrator[1].terminal:
            self.orchestrator = (self.orchestrator[0], Status.CANCELLED, self.orchestrator[2])
        if self.proof and not self.proof[1].terminal:
            self.proof = (self.proof[0], Status.CANCELLED, self.proof[2])

    @invariant()
    def what_must_never_happen(self) -> None:
        if not hasattr(self, "status"):
            return
        running = [status for status in self.status.values() if status is Status.RUNNING]
        assert len(running) <= self.most
        again = zip(self.read, self.read[1:], strict=False)
        assert all(one != other for one, other in again), "two orchestrators read the same"
        assert len(self.deliveries) == len(set(self.deliveries))
        again = zip(self.proved, self.proved[1:], strict=False)
        assert all(one != other for one, other in again), "nothing is proved twice"
        boss_runs = self.orchestrator and self.orchestrator[1] is Status.RUNNING
        if boss_runs and self.provable:
            assert self.proof, "a proof comes first"
        if finished(self.board()):
            assert decide(self.board()) == ()

    def teardown(self) -> None:
        """Let everything end: the run must come to its end too."""
        if not hasattr(self, "status"):
            return
        for _ in range(len(self.status) + 9):
            self.advance(1)
            self.status = {
                name: Status.COMPLETED if status is Status.RUNNING else status
                for name, status in self.status.items()
            }
            if self.proof and self.proof[1] is Status.RUNNING:
                self.proof = (self.proof[0], Status.FAILED, True)
            if self.orchestrator and self.orchestrator[1] is Status.RUNNING:
                self.orchestrator = (self.orchestrator[0], Status.FAILED, True)
        assert finished(self.board())
        by_itself = self.orchestrate == "auto" and (len(self.status) > 1 or bool(self.read))
        if (by_itself or self.wanted) and not self.cancelled:
            assert self.read[-1] == frozenset(self.status), "the last one has read what there is"
            name, status, _ = self.orchestrator
            assert (name in self.deliveries) == (status is not Status.CANCELLED)


TestGate = Gate.TestCase
TestGate.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
