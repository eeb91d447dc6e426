# One image, four binaries: shipper, alerter, indexer, watchfire. Kafka over TLS and SCRAM is built in.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libssl-dev zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN cargo build --release --locked --features watchfire/kafka-tls --bin watchfire \
 && cargo build --release --locked --features shipper/kafka-tls --bin shipper \
 && cargo build --release --locked --features alerter/kafka-tls --bin alerter \
 && cargo build --release --locked --features indexer/kafka-tls --bin indexer

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl libssl3 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/watchfire --create-home watchfire \
 && install -d -o watchfire /var/log/app
COPY --from=build /build/target/release/shipper /build/target/release/alerter /build/target/release/indexer /build/target/release/watchfire /usr/local/bin/
COPY rules/default /etc/watchfire/rules
USER watchfire
WORKDIR /var/lib/watchfire
CMD ["watchfire", "demo"]
