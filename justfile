# What `.ci/run` does, by name.

# All tests.
test:
    cargo test --workspace

# Formatting, lints, documentation, licences.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
    cargo deny --all-features check bans licenses sources

# The benches in full: 1 GB a workload.
bench *ARGS:
    cargo build --release -p logweir -p logweir-benches
    target/release/bench {{ARGS}}

# The benches in a short form, output checked.
bench-short: (bench "--short")

# The same job by logweir, cat, grep, jq and, where they are on PATH, Vector and Fluent Bit.
bench-peers *ARGS:
    cargo build --release -p logweir -p logweir-benches
    target/release/bench peers {{ARGS}}

# The instructions of the hot path, against what is recorded; `--record` records them anew. Needs valgrind.
instructions *ARGS:
    cargo build --release -p logweir -p logweir-benches
    target/release/instructions {{ARGS}}

# The plots and tables of docs/performance.md, from results that `just bench --json FILE` has recorded.
plots *RESULTS="benches/results/bench.json benches/results/follow.json benches/results/upload.json":
    cargo build --release -p logweir-benches --bin bench
    target/release/bench plot {{RESULTS}} --dir docs/performance --page docs/performance.md

# Fuzzes one target; needs nightly and cargo-fuzz.
fuzz TARGET *ARGS:
    cd crates/logweir-json && cargo +nightly fuzz run {{TARGET}} {{ARGS}}

# Everything, as on a fresh machine.
ci:
    .ci/run
