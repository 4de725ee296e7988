#!/usr/bin/env python3
"""A workbook of reports opened by the programs that others use: openpyxl and LibreOffice must see the rows that pinlake sees.

    python3 benches/spreadsheets.py [--endpoints 20000] [--queries DIR] [--pictures DIR]

Makes an audience with odd records among it, writes every report as a workbook and as JSON in one run, and holds the cells of each
sheet against the rows: as openpyxl reads the file, and as it reads what LibreOffice makes of it. Formulas, missing links, headers
that do not stay, and charts that a reader drops are failures too. With --pictures, LibreOffice's pages of the workbook are left there
as PDF (and as PNG, where pdftoppm is found) to be looked at. Exits with 1 at the first difference. Needs a build of pinlake, `pip
install openpyxl`, and soffice (Debian: libreoffice-calc).
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile

import openpyxl

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_EXACT = 999_999_999_999_999


def pinlake():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    for profile in ("release", "debug"):
        binary = target / profile / "pinlake"
        if binary.exists():
            return binary
    sys.exit(f"no build of pinlake under {target}: run cargo build first")


def expect(truth, message):
    if not truth:
        sys.exit(f"FAILED: {message}")


def as_day_or_time(value):
    """What a JSON text says, if it is a day or a time that a sheet holds as such."""
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"):
        try:
            return datetime.datetime.strptime(value, form)
        except ValueError:
            continue
    return None


def same(cell, value):
    """Whether a cell shows a value of the JSON rows."""
    if value is None or value == "":
        return cell is None
    if isinstance(value, bool) or isinstance(cell, bool):
        return cell is value
    if isinstance(value, (int, float)):
        if isinstance(value, int) and abs(value) > MOST_EXACT:
            return cell == str(value)
        return isinstance(cell, (int, float)) and abs(cell - value) <= 1e-9 * max(1.0, abs(value))
    if isinstance(value, list):
        return (cell or "") == ", ".join("(none)" if item is None else str(item) for item in value)
    if isinstance(value, dict):
        return isinstance(cell, str) or not value
    if isinstance(cell, datetime.datetime):
        told = as_day_or_time(value)
        return told is not None and abs((cell - told).total_seconds()) < 0.002
    return cell == value


def header_row(sheet):
    """The row of the header: the last one that stays in sight."""
    pane = sheet.freeze_panes
    expect(pane and pane.startswith("A"), f"sheet {sheet.title}: no header stays in sight ({pane})")
    return int(pane[1:]) - 1


def check_sheet(sheet, header, rows, reader):
    where = f"{reader}, sheet {sheet.title}"
    names = list(rows[0]) if rows else []
    found = [sheet.cell(header, 1 + place).value for place in range(len(names))]
    expect(found == names, f"{where}: the header is {found} instead of {names}")
    for number, row in enumerate(rows):
        for place, (name, value) in enumerate(row.items()):
            cell = sheet.cell(header + 1 + number, 1 + place).value
            expect(same(cell, value), f"{where}: row {number}, {name} is {cell!r} instead of {value!r}")
    widths = [sheet.column_dimensions[openpyxl.utils.get_column_letter(1 + place)].width for place in range(len(names))]
    expect(all(7 <= width <= 64 for width in widths), f"{where}: widths {widths}")
    return len(rows) * len(names)


def check_book(path, headers, results, reader):
    """Holds a workbook against the rows of all reports; returns how many charts it has."""
    book = openpyxl.load_workbook(path, data_only=True)
    names = book.sheetnames
    expect(names[0] == "Contents", f"{reader}: the first sheet is {names[0]}")
    links = {cell.hyperlink.location for row in book["Contents"].iter_rows() for cell in row if cell.hyperlink}
    links = {link.replace("'", "").lstrip("#").replace(".A1", "!A1") for link in links if link}
    cells = 0
    for name, rows in results.items():
        expect(name in names, f"{reader}: no sheet {name}")
        expect(f"{name}!A1" in links, f"{reader}: no link to {name} among {sorted(links)}")
        cells += check_sheet(book[name], headers[name], rows, reader)
    # Counted as parts of the file: openpyxl leaves out charts of LibreOffice that it cannot read.
    charts = sum(name.startswith("xl/charts/chart") for name in zipfile.ZipFile(path).namelist())
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            for cell in row:
                # LibreOffice writes booleans so.
                is_formula = cell.data_type == "f" and cell.value not in ("=TRUE()", "=FALSE()")
                expect(not is_formula, f"{reader}: {sheet.title}!{cell.coordinate} is a formula")
    print(f"{reader}: {len(results)} reports, {cells:,} cells, {charts} charts")
    return charts


def office(folder, path, form):
    profile = folder / "office-profile"
    subprocess.run(["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", form, "--outdir",
                    folder / "office", path], check=True, capture_output=True, timeout=300)
    return folder / "office" / path.with_suffix("." + form.split(":")[0]).name


def pictures(folder, path, into):
    into.mkdir(parents=True, exist_ok=True)
    pdf = shutil.copy(office(folder, path, "pdf"), into / "report.pdf")
    if shutil.which("pdftoppm"):
        subprocess.run(["pdftoppm", "-r", "60", "-png", pdf, into / "page"], check=True)
    print(f"pictures are in {into}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=20_000)
    parser.add_argument("--queries", type=pathlib.Path, help="a folder of further reports")
    parser.add_argument("--pictures", type=pathlib.Path, help="leave LibreOffice's pages here")
    args = parser.parse_args()
    binary = pinlake()
    warnings.filterwarnings("ignore", message="Unable to read chart")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run = lambda *words: subprocess.run([binary, "--lake", folder / "lake", *map(str, words)], check=True, capture_output=True)
        run("generate", args.endpoints, folder / "pieces", "--pieces", 4, "--odd-share", 0.05)
        run("convert", folder / "pieces", "--snapshot", "one")
        further = ["--queries", args.queries] if args.queries else []
        run("report", "--all", "--out", folder / "out", "--format", "xlsx,json", *further)
        results = {path.stem: json.loads(path.read_text()) for path in sorted((folder / "out").glob("*.json"))}
        verdicts = results.pop("checks")
        print(f"{len(results)} reports, {len(verdicts)} checks")
        workbook = folder / "out" / "report.xlsx"
        book = openpyxl.load_workbook(workbook)
        # LibreOffice drops the panes of a file that it converts without a window.
        headers = {name: header_row(book[name]) for name in results}
        charts = check_book(workbook, headers, results, "openpyxl")
        read = sum(len(sheet._charts) for sheet in book)
        expect(charts == read > 0, f"openpyxl reads {read} of {charts} charts")
        if args.pictures:
            pictures(folder, workbook, args.pictures)
        kept = check_book(office(folder, workbook, "xlsx"), headers, results, "LibreOffice")
        expect(kept == charts, f"LibreOffice keeps {kept} of {charts} charts")


if __name__ == "__main__":
    main()
