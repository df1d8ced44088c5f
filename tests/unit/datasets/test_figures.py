from osler.datasets.dataset import Skip
from osler.datasets.figures import article_group, article_of, article_url, captioned, video_group


def test_the_article_stands_before_the_name_of_its_figure():
    assert article_of("PMC212319_Fig3_4.jpg") == "PMC212319"
    assert article_group("PMC212319_Fig3_4.jpg") == article_group("PMC212319") == "pmc:PMC212319"
    assert article_url("PMC12_a.jpg") == "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC12/"
    assert (article_of("figure.jpg"), article_group("figure.jpg"), article_url("")) == ("", "", "")


def test_the_video_stands_before_the_name_of_its_frame():
    assert video_group("_KJZm1orOvU_roi_2f-1.jpg") == video_group("_KJZm1orOvU_image_9.jpg") == "video:_KJZm1orOvU"
    assert (video_group("PMC7_a.jpg"), video_group("137.png")) == ("pmc:PMC7", "")


def test_a_picture_without_words_and_words_without_a_picture_are_skipped():
    assert captioned("a.png", None) == captioned("a.png", " \n") == Skip("empty caption")
    assert captioned(None, "A film.") == Skip("no image")
    sample = captioned("a.png", " A film.\n", group="g", tags=("t:x",))
    assert (sample.answer.text, sample.answer.kind, sample.task) == ("A film.", "text", "caption")
    assert ([ref.path for ref in sample.media], sample.group, sample.tags) == (["a.png"], "g", ("t:x",))
