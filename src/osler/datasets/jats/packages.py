"""Folders of articles: which XML files and pictures belong together, and a row for each figure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from osler.core.errors import InputError
from osler.datasets.dataset import BadRow, Row
from osler.datasets.jats.article import read_article
from osler.datasets.jats.contexts import FigureContext, figure_contexts
from osler.datasets.jats.files import ImageFiles, is_image, read_assets
from osler.datasets.jats.parse import read_tree, xml_library
from osler.datasets.jats.types import Article, Figure
from osler.datasets.packed import is_junk

_ARTICLES = (".xml", ".nxml")
_MANIFEST = "manifest.xml"


@dataclass(frozen=True)
class Package:
    """A folder with article files, and the pictures in it and below it that lie nearer to no other article."""

    folder: Path
    articles: tuple[str, ...]
    images: tuple[str, ...]
    manifest: bool = False


@dataclass(frozen=True)
class ArticleRows:
    """Rows of all articles below a folder, one a figure; an article without figures or that is refused is a bad row.

    A row has `id`, `article` (the group), `read` (the Article), `figure` (the Figure), `images` (paths below the
    root) and `missing` (why a picture has no file, one a picture).
    """

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The figures in the order of the files' paths, then as in the file, those with the same pictures together."""
        xml_library()  # here, where a missing package ends the run; further on every file would be a bad row
        seen: set[bytes] = set()
        for package in find_packages(Path(root)):
            yield from _rows(Path(root), package, seen)

    def paths(self, root: Path, split: str) -> list[Path]:
        """All article files; a name that is not there where none is."""
        found = [package.folder / name for package in find_packages(Path(root)) for name in package.articles]
        return found or [Path(root) / "*.xml"]


def find_contexts(root: Path) -> Iterator[tuple[str, FigureContext]]:
    """Each figure's record id and context, in the order of `ArticleRows`; what has no row has none here either."""
    last: Article | None = None
    contexts: dict[str, FigureContext] = {}
    for row in ArticleRows()(Path(root), "train"):
        if isinstance(row, BadRow):
            continue
        if row["read"] is not last:
            last = row["read"]
            contexts = {context.figure.id: context for context in figure_contexts(row["read"])}
        yield row["id"], contexts[row["figure"].id]


def find_packages(root: Path) -> Iterator[Package]:
    """The packages below `root`, by path. Links to folders are not followed."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        articles, images, manifest, below = _listed(folder, "")
        later: list[Path] = []
        if articles:
            todo = list(below)
            while todo:
                name = todo.pop(0)
                inner = _listed(folder / name, f"{name}/")
                if inner[0]:
                    later.append(folder / name)
                else:
                    images += inner[1]
                    todo = [f"{name}/{one}" for one in inner[3]] + todo
            yield Package(folder, tuple(articles), tuple(images), manifest)
        else:
            later = [folder / name for name in below]
        waiting += reversed(later)


def _listed(folder: Path, prefix: str) -> tuple[list[str], list[str], bool, list[str]]:
    """Articles, pictures, whether there is a manifest, and folders of one folder."""
    articles: list[str] = []
    images: list[str] = []
    below: list[str] = []
    manifest = False
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_junk(path.name):
            continue
        if path.is_dir():
            below += [] if path.is_symlink() else [path.name]
        elif path.name == _MANIFEST:
            manifest = True
        elif path.name.lower().endswith(_ARTICLES):
            articles.append(path.name)
        elif is_image(path.name):
            images.append(prefix + path.name)
    return articles, images, manifest, below


def _rows(root: Path, package: Package, seen: set[bytes]) -> Iterator[Row | BadRow]:
    files, fault = _files(package)
    if fault is not None:
        yield fault
    claims = _claims(package, files) if len(package.articles) > 1 and package.images else Counter[str]()
    for name in package.articles:
        path = package.folder / name
        where = path.relative_to(root).as_posix()
        try:
            article = read_article(path)
        except InputError as error:
            yield _bad(where, str(error))
            continue
        twin = next((id for id in article.ids if _mark(id) in seen), "")
        seen.update(_mark(id) for id in article.ids)
        if twin:
            yield BadRow(f"repeated article: {where} is {twin} again")
        elif not article.figures:
            yield BadRow(f"no figures: {where}")
        else:
            lookup = _Lookup(files, claims, path.stem)
            yield from _by_images([_row(where, article, figure, lookup) for figure in article.figures])
        if article.num_left_out and not twin:
            yield BadRow(f"figures of reviews or translations: {article.num_left_out} in {where}")


def _by_images(rows: list[Row]) -> list[Row]:
    """The rows of an article, those that show the same pictures next to each other: they make one record."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row["images"]), []).append(row)
    return [row for group in groups.values() for row in group]


@dataclass(frozen=True)
class _Lookup:
    """The pictures of one article file of a package; `claims` counts the articles that name each."""

    files: ImageFiles
    claims: Counter[str]
    article: str

    def find(self, figure: Figure) -> tuple[list[str], list[str]]:
        """Paths of a figure's pictures, and for each that has none why."""
        paths: list[str] = []
        missing: list[str] = []
        for graphic in figure.graphics:
            found = self.files.find(graphic, article=self.article)
            if found.path and self.claims[found.path] > 1:
                missing.append(f"several articles name {found.path}")
            elif found.path:
                paths.append(found.path)
            else:
                missing.append(found.why)
        return paths, missing


def _row(where: str, article: Article, figure: Figure, lookup: _Lookup) -> Row:
    paths, missing = lookup.find(figure)
    folder = where.rpartition("/")[0]
    key = article_key(article, where)
    return {
        "id": f"{key}/{figure.id}",
        "article": key,
        "read": article,
        "figure": figure,
        "images": [f"{folder}/{path}" if folder else path for path in paths],
        "missing": missing,
    }


def article_key(article: Article, where: str) -> str:
    """The name of an article for good: its PMC id, DOI or PubMed id, else the path of its file."""
    named = article.ids[0].partition(":")[2] if article.ids else ""
    return named or "_".join(where.rpartition(".")[0].split())


def _files(package: Package) -> tuple[ImageFiles, BadRow | None]:
    if not package.manifest:
        return ImageFiles(package.images), None
    try:
        return ImageFiles(package.images, read_assets(read_tree(package.folder / _MANIFEST))), None
    except InputError as error:
        return ImageFiles(package.images), _bad(f"{package.folder.name}/{_MANIFEST}", str(error))


def _claims(package: Package, files: ImageFiles) -> Counter[str]:
    """How many articles of the package name each picture: `fig1.jpg` beside two articles is nobody's for certain."""
    claims: Counter[str] = Counter()
    for name in package.articles:
        try:
            article = read_article(package.folder / name)
        except InputError:
            continue  # reported when its rows are read
        stem = Path(name).stem
        found = {files.find(graphic, article=stem).path for figure in article.figures for graphic in figure.graphics}
        claims.update(found - {""})
    return claims


def _bad(where: str, message: str) -> BadRow:
    kind, _, rest = message.partition(": ")
    return BadRow(f"{kind}: {where}: {rest}")


def _mark(id: str) -> bytes:
    return blake2b(id.encode(), digest_size=10).digest()
