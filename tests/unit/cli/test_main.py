import errno

import pytest

from osler.cli import main as main_module
from osler.cli.arguments import Command
from osler.cli.main import COMMANDS, main
from osler.core.errors import OslerError


@pytest.fixture
def run_command(monkeypatch):
    """Make `osler show x` do something else."""

    def put(function):
        command = Command(lambda parser: parser.add_argument("name"), function)
        monkeypatch.setattr(type(main_module.COMMANDS), "load", lambda *_: command)
        return main(["show", "x"])

    return put


def test_help_names_every_command(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name.replace('_', '-')}" in said for name in COMMANDS.names())


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["trian"], "unknown command 'trian'; expected one of"),
        (["trian"], "Did you mean 'train'?"),
        (["train"], "the following arguments are required: RECIPE.yaml"),
        (["train", "r.yaml", "--outt", "x"], "unrecognized arguments: --outt"),
        (["train", "r.yaml", "--resume", "--overwrite"], "not allowed with argument"),
        (["train", "none.yaml", "--out", "x"], "cannot read none.yaml"),
        (["list", "datasetz"], "Did you mean 'datasets'?"),
        (["show", "no-such-thing"], "nothing is called 'no-such-thing'"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(argv, said, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith("osler: error: ") and err.count("\n") == 1
    assert said in err


def raising(error):
    def run(_):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OslerError("it broke"), 1, "osler: error: it broke\n"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("odd\nthing"), 1, "unexpected ValueError: odd thing. Run again with --debug"),
        (OSError(errno.ENOSPC, "full"), 1, "no space left on the disk"),
        (RuntimeError("write: No space left on device (os error 28)"), 1, "no space left on the disk"),
    ],
)
def test_a_failure_is_one_line_without_a_traceback(run_command, capsys, error, code, said):
    assert run_command(raising(error)) == code
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err


def test_debug_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setattr(type(COMMANDS), "load", lambda *_: Command(lambda parser: None, raising(ValueError("odd"))))
    assert main(["doctor", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_warnings_of_others_stay_off_the_terminal_and_come_back_after(run_command, capsys):
    import logging
    import warnings

    def noisy(_):
        warnings.warn("other people's business", stacklevel=1)
        logging.getLogger("other").warning("noise")
        return 0

    assert run_command(noisy) == 0
    assert capsys.readouterr().err == ""
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", stacklevel=1)
    assert logging.root.manager.disable == 0
