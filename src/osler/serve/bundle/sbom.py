"""SBOM: the bundle's packages and model as a CycloneDX 1.6 document, the same bytes for the same bundle."""

import json
import uuid
from collections.abc import Mapping, Sequence

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from osler.core.files import sha256_json
from osler.serve.bundle.wheels import Wheel

_NAMESPACE = uuid.UUID("7f0fd9e5-0f0e-5d5a-9a3c-6b5f2b8f5d10")


def sbom_text(name: str, wheels: Sequence[Wheel], model: Mapping[str, str]) -> str:
    """The document as JSON.

    Args:
        name: of the bundle.
        wheels: each is a library with its licence, hash and what it depends on.
        model: SHA-256 of the model's files by name; a machine-learning model whose files are its parts.
    """
    # The order of its lines is the wheels', and no time is in it, so that a bundle built again has equal bytes.
    stamp = sha256_json([name, [[wheel.name, wheel.version, wheel.sha256] for wheel in wheels], dict(model)])
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, stamp))
    root = Component(name=name, type=ComponentType.APPLICATION, bom_ref=f"bundle/{name}")
    bom.metadata.component = root
    libraries = {wheel.name: _library(wheel) for wheel in wheels}
    for library in libraries.values():
        bom.components.add(library)
    for wheel in wheels:
        bom.register_dependency(libraries[wheel.name], [libraries[n] for n in wheel.requires if n in libraries])
    parts = [libraries["osler"]] if "osler" in libraries else []
    if model:
        parts.append(_model(model))
        bom.components.add(parts[-1])
    bom.register_dependency(root, parts)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    document["metadata"].pop("timestamp", None)
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _library(wheel: Wheel) -> Component:
    purl = PackageURL("pypi", None, wheel.name, wheel.version)
    licences = [LicenseFactory().make_from_string(wheel.licence)] if wheel.licence != "not stated" else []
    return Component(
        name=wheel.name,
        version=wheel.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=licences,
        description=wheel.summary or None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
    )


def _model(files: Mapping[str, str]) -> Component:
    properties = [Property(name=f"osler:sha256:{name}", value=sha256) for name, sha256 in sorted(files.items())]
    digest = HashType(alg=HashAlgorithm.SHA_256, content=sha256_json(dict(files)))
    return Component(
        name="model", type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref="model", hashes=[digest], properties=properties
    )
