from osler.core.log import Log


def test_messages_go_to_stderr_and_quiet_keeps_warnings(capsys):
    Log().info("done")
    Log(quiet=True).info("not said")
    Log(quiet=True).warn("look")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "done\nwarning: look\n"


def test_progress_yields_all_and_ends_with_a_line(capsys):
    assert list(Log().progress([1, 2, 3], "counting", unit="numbers")) == [1, 2, 3]
    assert capsys.readouterr().err.startswith("counting: 3 numbers in ")


def test_quiet_progress_says_nothing(capsys):
    assert list(Log(quiet=True).progress(iter("ab"), "x")) == ["a", "b"]
    assert capsys.readouterr().err == ""
