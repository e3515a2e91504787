# What `.ci/run` does, by name.

# All tests.
test:
    cargo test --workspace

# Formatting, lints, documentation, licences.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
    cargo deny --all-features check bans licenses sources

# The benches in full: 1 GB a workload.
bench *ARGS:
    cargo build --release -p logweir -p logweir-benches
    target/release/bench {{ARGS}}

# The benches in a short form, output checked.
bench-short: (bench "--short")

# Fuzzes one target; needs nightly and cargo-fuzz.
fuzz TARGET *ARGS:
    cd crates/logweir-json && cargo +nightly fuzz run {{TARGET}} {{ARGS}}

# Everything, as on a fresh machine.
ci:
    .ci/run
