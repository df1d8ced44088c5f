from osler.datasets.studies import (
    Study,
    View,
    image_list,
    in_time_order,
    ordered,
    shown,
    study_time,
    view_name,
    with_prior,
)


def study(id, time, *views):
    return Study(id, ordered(View(f"{id}-{n}.jpg", name) for n, name in enumerate(views)), time)


def test_views_come_frontal_first():
    names = ["", "lateral", "lao", "frontal", "AP", "PA", "lateral"]
    found = ordered(View(f"{n}.jpg", name) for n, name in enumerate(names))
    assert [view.name for view in found] == ["PA", "AP", "frontal", "lateral", "lateral", "lao", ""]
    assert [view.path for view in found if view.name == "lateral"] == ["1.jpg", "6.jpg"]
    assert [view_name(text) for text in ("LL", " Lateral", "pa", "PA LLD", "")] == [
        "lateral",
        "lateral",
        "PA",
        "pa lld",
        "",
    ]


def test_a_time_without_leading_zeros_is_in_the_morning():
    morning, evening = study_time("21800806", "91500.5"), study_time("21800806", "213014.53100000002")
    assert morning == 21800806_091500_500 and evening == 21800806_213014_531
    assert study_time("21800806", "") < morning < evening < study_time("21800807.0", "0")
    assert study_time("", "91500") is None and study_time("unknown", "1") is None and study_time("0", "1") is None


def test_the_prior_is_the_last_study_before():
    studies = [study("c", 30, "PA"), study("a", 10, "PA"), study("u", None, "PA"), study("b", 30, "AP")]
    pairs = {now.id: past and past.id for now, past in with_prior(studies)}
    assert pairs == {"u": None, "a": None, "b": "a", "c": "a"}
    assert [item.id for item in in_time_order(studies)] == ["u", "a", "b", "c"]


def test_images_say_their_view_and_time_and_so_do_the_words():
    refs = shown(study("b", 2, "lateral", "PA"), study("a", 1, "AP", ""))
    assert [(ref.view, ref.time) for ref in refs] == [
        ("PA", "current"),
        ("lateral", "current"),
        ("AP", "prior"),
        ("", "prior"),
    ]
    words = image_list(refs)
    assert words.startswith("Image 1: current study, PA view. Image 2: current study, lateral view. Image 3: prior")
    assert words.endswith("Image 4: prior study, view not stated.")
    assert image_list(refs[:1]) == "Image 1: PA view."


def test_no_more_views_than_declared_are_shown():
    refs = shown(study("b", 2, *["AP"] * 9), study("a", 1, *["PA"] * 9))
    assert [ref.time for ref in refs] == ["current"] * 4 + ["prior"] * 2
