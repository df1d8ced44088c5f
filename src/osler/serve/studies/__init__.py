"""Studies in, drafts out: DICOM to pictures without a person, and reports back as text, FHIR and DICOM SR."""
