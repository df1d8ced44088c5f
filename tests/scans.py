"""Scans drawn for the tests: NIfTI files and DICOM series, small and without a person."""

from pathlib import Path

import numpy as np

from osler.media.dicom import derived_uid

AXIAL = (1, 0, 0, 0, 1, 0)
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def block(shape=(12, 10, 8), *, air: int = -1000) -> np.ndarray:
    """Tissue with a gradient in air: empty in the first and the last slice of each plane."""
    voxels = np.full(shape, air, np.int16)
    inside = tuple(slice(1, size - 1) for size in shape)
    x, y, z = np.indices(shape)
    voxels[inside] = (40 + 10 * x + 3 * y + z)[inside]
    return voxels


def affine(spacing=(2.0, 2.0, 5.0), *, signs=(1, 1, 1), order=(0, 1, 2), origin=(0, 0, 0)) -> np.ndarray:
    """Voxel axis n runs along world axis `order[n]`, forwards or backwards."""
    out = np.eye(4)
    out[:3, :3] = 0
    for axis in range(3):
        out[order[axis], axis] = spacing[axis] * signs[axis]
    out[:3, 3] = origin
    return out


def write_nifti(path: Path, voxels: np.ndarray, grid: np.ndarray, *, kind: str = "Nifti1Image", unit="mm") -> Path:
    import nibabel

    image = getattr(nibabel, kind)(voxels, grid)
    image.header.set_xyzt_units(unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def write_series(folder: Path, stored: np.ndarray, *, positions, changes=None, **elements) -> Path:
    """One file an entry of `stored` [slices, rows, columns]; `changes` maps a slice's number to elements of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (pixels, position) in enumerate(zip(stored, positions, strict=True)):
        fields = {
            "ImagePositionPatient": [float(p) for p in position],
            "InstanceNumber": len(stored) - number,
            "SOPInstanceUID": derived_uid(folder.name, number),
            **elements,
            **(changes or {}).get(number, {}),
        }
        instance(folder / f"{number}.dcm", pixels, **fields)
    return folder


def instance(path: Path, pixels: np.ndarray, **elements) -> Path:
    """A CT file of signed 16-bit pixels [rows, columns] or [frames, rows, columns]; `elements` add or replace."""
    import pydicom

    dataset = pydicom.Dataset()
    dataset.SOPClassUID = CT_IMAGE
    dataset.SOPInstanceUID = derived_uid(path.name)
    dataset.SeriesInstanceUID = derived_uid("series")
    dataset.Modality = "CT"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.PixelSpacing, dataset.ImageOrientationPatient = [2.0, 1.5], list(AXIAL)
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-1024"
    for name, value in elements.items():
        setattr(dataset, name, value)
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.PixelData = pixels.astype("<i2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path
