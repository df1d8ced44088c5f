import pytest

from osler.scoring.distributions import chi_square_tail, normal_cdf, normal_quantile, t_quantile, t_two_sided

scipy = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 30, 59, 61, 299, 9_999, 99_999])
def test_t_equals_scipy(degrees):
    for probability in (0.9, 0.975, 0.995):
        assert t_quantile(probability, degrees) == pytest.approx(scipy.t.ppf(probability, degrees), rel=1e-9)
    for t in (0.0, 0.01, 0.7, -1.96, 3.3, 8.0):
        assert t_two_sided(t, degrees) == pytest.approx(2 * scipy.t.sf(abs(t), degrees), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("degrees", range(1, 10))
def test_chi_square_equals_scipy(degrees):
    for value in (0.0, 0.1, 1.0, 7.5, 40.0, 300.0):
        assert chi_square_tail(value, degrees) == pytest.approx(scipy.chi2.sf(value, degrees), rel=1e-9, abs=1e-300)


def test_normal_equals_scipy():
    for z in (-9.0, -1.0, 0.0, 2.5):
        assert normal_cdf(z) == pytest.approx(scipy.norm.cdf(z), rel=1e-9)
    assert normal_quantile(0.975) == pytest.approx(scipy.norm.ppf(0.975), abs=1e-12)
