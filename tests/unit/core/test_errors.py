from osler.core.errors import DiskFullError, InputError, OslerError, did_you_mean


def test_an_input_error_says_expected_got_and_what_to_do():
    error = InputError("split 'val' not in toy", expected="train or test", got="'val'", fix="Did you mean 'test'?")
    assert str(error) == "split 'val' not in toy; expected train or test; got 'val'. Did you mean 'test'?"
    assert str(InputError("wrong")) == "wrong"


def test_exit_codes():
    assert (OslerError.exit_code, InputError.exit_code, DiskFullError.exit_code) == (1, 2, 1)


def test_the_nearest_name_is_offered_and_nothing_far_is():
    assert did_you_mean("valdation", ["train", "validation"]) == "Did you mean 'validation'?"
    assert did_you_mean("zzz", ["train", "validation"]) == ""
