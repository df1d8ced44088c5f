import pytest

from osler.core.errors import InputError
from osler.schema.sample import Sample, choice, closed, image, open_answer, passage, user
from osler.transfer.labels import Labelled, NotLabelled, declared_classes, labels_of


def sample(answer, **fields) -> Sample:
    return Sample(turns=(user(image("a.png"), "?"),), answer=answer, **fields)


def test_a_choice_and_a_closed_answer_name_one_class_of_the_declared():
    assert labels_of(sample(choice("b", ("a", "b")))) == Labelled(("b",), ("a", "b"))
    assert labels_of(sample(closed("yes"))) == Labelled(("yes",), ("yes", "no"))


def test_tags_and_lists_name_several_labels():
    tagged = sample(open_answer("mass, nodule"), tags=("label:Mass", "label:Nodule"), task="multi_label")
    assert labels_of(tagged) == Labelled(("Mass", "Nodule"), is_multi_label=True)
    none = sample(open_answer("no finding"), tags=("label:No_Finding",))
    assert labels_of(none) == Labelled((), is_multi_label=True)
    listed = sample(closed("mass, pleural thickening", labels=()), task="multi_label")
    assert labels_of(listed).found == ("mass", "pleural thickening")


def test_another_tag_can_name_the_class():
    caption = sample(passage("A film."), tags=("finding:COVID-19",))
    assert labels_of(caption, label_tag="finding").found == ("COVID-19",)
    assert isinstance(labels_of(caption), NotLabelled)


def test_the_checklist_of_a_drawn_film_is_asked_in_three_ways():
    film = sample(passage("nodule yes, effusion no, device no."))
    assert labels_of(film).found == ("nodule",) and labels_of(film).is_multi_label
    assert labels_of(film, target="one_finding") == Labelled(("nodule",), ("none", "nodule", "effusion", "device"))
    assert labels_of(film, target="effusion") == Labelled(("no effusion",), ("no effusion", "effusion"))
    several = sample(passage("nodule yes, effusion yes, device no."))
    assert "several findings" in labels_of(several, target="one_finding").reason
    healthy = sample(passage("nodule no, effusion no, device no."))
    assert labels_of(healthy, target="one_finding").found == ("none",)
    with pytest.raises(InputError, match="Did you mean 'effusion'"):
        labels_of(film, target="efusion")


def test_classes_must_agree_and_be_two():
    one, two = Labelled(("a",), ("a", "b")), Labelled(("b",), ("a", "b"))
    assert declared_classes("s", [one, two]) == ("a", "b")
    with pytest.raises(InputError, match="different lists of classes"):
        declared_classes("s", [one, Labelled(("c",), ("c", "d"))])
    with pytest.raises(InputError, match="one class only"):
        declared_classes("s", [one, one])
    assert declared_classes("s", [Labelled(("z", "a"), is_multi_label=True)]) == ("a", "z")
