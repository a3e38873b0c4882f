# Thin names for what a developer does; `just` lists them.

_default:
    @just --list

# Build the guests and wasmpod, run the kuard Pod
demo:
    cargo xtask demo

# Run every test
test:
    cargo xtask test

# Everything that CI runs
check:
    .ci/run

# Measure beside the peers (see docs/performance.md)
bench:
    cargo xtask bench

# Measure what CPU requests and limits come to
cpu-table *ARGS:
    cargo xtask cpu-table {{ARGS}}

# Measure what a hostile Pod costs the one beside it
neighbour *ARGS:
    cargo xtask neighbour {{ARGS}}

# Measure what it costs that guests are charged and held to their limits
metering:
    cargo xtask guests
    cargo bench --workspace --bench metering

# Format all the code
fmt:
    cargo fmt --all
    cargo fmt --manifest-path guest-examples/Cargo.toml --all
    cargo fmt --manifest-path toolbox/Cargo.toml

# Write the generated parts of docs/ anew
docs:
    UPDATE_DOCS=1 cargo test -p wasmpod-manifest support

# Kill commands and Pods' processes at random for so many seconds
faults SECONDS="3600":
    cargo xtask guests
    WASMPOD_FAULTS_SECONDS={{SECONDS}} cargo test --package wasmpod-cli --test e2e -- --nocapture faults::nothing
