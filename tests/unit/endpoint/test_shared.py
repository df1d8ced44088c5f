import subprocess
import sys

from osler.endpoint.batch import RateLimit
from osler.endpoint.chat import ChatReply
from osler.endpoint.ledger import Ledger, Price

_FILL = """
import sys
from pathlib import Path
from osler.endpoint.cache import ReplyCache
from osler.endpoint.chat import ChatReply
from osler.endpoint.ledger import Ledger, Price
folder = Path(sys.argv[1])
for n in range(20):
    cache, ledger = ReplyCache(folder / "replies"), Ledger(path=folder / "account")
    cache.put(f"{sys.argv[2]}-{n}", ChatReply("x"))
    ledger.record("judge", ChatReply("x", tokens_in=10, tokens_out=1), price=Price(1.0, 2.0), cached=False)
    cache.close()
    ledger.close()
"""


def test_processes_that_open_one_file_at_once_lose_nothing(tmp_path):
    command = [sys.executable, "-c", _FILL, str(tmp_path)]
    running = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    account = Ledger(path=tmp_path / "account").summary()["judge"]
    assert (account["requests"], account["tokens_in"], round(account["cost"] * 1e6)) == (60, 600, 720)


def test_a_pace_and_a_ledger_are_shared_through_their_files(tmp_path):
    waits: list[float] = []
    one, two = (RateLimit(60, path=tmp_path / "pace", clock=lambda: 100.0, sleep=waits.append) for _ in range(2))
    one.wait()
    two.wait()
    one.wait()
    assert waits == [1.0, 2.0]
    first, second = (Ledger(max_tokens=5, path=tmp_path / "account") for _ in range(2))
    first.record("a", ChatReply("x", tokens_in=9), price=Price(), cached=False)
    assert second.summary()["a"]["tokens_in"] == 9
