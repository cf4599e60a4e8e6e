#!/usr/bin/env bash
# Replaces the servers of a cluster as it is documented and no more: each process is stopped and the new version started
# in its place, frontends first. A process is taken to be up when it listens, and three seconds have passed.
# Measured beside temporal-upgrade by `make bench`; see servers.sh for what it needs.

. "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

for wanted in frontend history matching worker; do
  while IFS=$'\t' read -r name role address folder environment log; do
    [ "$role" = "$wanted" ] || continue
    echo "$name"
    stop "$folder"
    start "$folder" "$environment" "$role" "$log"
    # A worker listens on nothing before 1.31.
    [ "$role" = worker ] || until listens "$address"; do sleep 0.2; done
    sleep 3
  done <"$NODES"
done
