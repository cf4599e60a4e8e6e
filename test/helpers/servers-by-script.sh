#!/bin/sh
# What an operator's own script may look like: starts and stops the servers of this host, one folder of configuration a node.
#   servers-by-script.sh status|stop NODE
#   servers-by-script.sh prepare VERSION
#   servers-by-script.sh start NODE ROLE VERSION
# RELEASES has VERSION/temporal-server, NODES has a folder for each node, LOGS gets a file of each.
set -eu

# Found each time, so that no file of process ids can be stale. Prints nothing when none runs.
pid_of() {
  # Listed first: this very search has the folder among its arguments too.
  all=$(echo /proc/[0-9]*/cmdline)
  # shellcheck disable=SC2086
  found=$(grep -lzxF -- "$NODES/$1" $all 2>/dev/null | head -n 1)
  echo "$found" | cut -d / -f 3
}

case $1 in
status)
  pid=$(pid_of "$2")
  [ -n "$pid" ] || exit 0
  version=$("/proc/$pid/exe" --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')
  # For a moment it is still setsid, which is to become the server.
  [ -n "$version" ] || exit 0
  ticks=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)
  boot=$(sed -n 's/^btime //p' /proc/stat)
  started=$(date -u -d "@$((boot + ticks / 100))" +%Y-%m-%dT%H:%M:%SZ)
  printf '{"version": "%s", "startedAt": "%s", "instance": "%s:%s"}\n' "$version" "$started" "$pid" "$ticks"
  ;;
stop)
  pid=$(pid_of "$2")
  [ -n "$pid" ] || exit 0
  kill -TERM "$pid"
  for _ in $(seq 100); do
    [ -n "$(pid_of "$2")" ] || exit 0
    sleep 0.1
  done
  kill -KILL "$pid"
  ;;
prepare)
  "$RELEASES/$2/temporal-server" --version | grep -qF "version $2"
  ;;
start)
  [ -z "$(pid_of "$2")" ] || exit 0
  setsid "$RELEASES/$4/temporal-server" --root / --config "$NODES/$2" --env lab --allow-no-auth start "--service=$3" \
    </dev/null >>"$LOGS/$2.log" 2>&1 &
  ;;
*)
  echo "unknown command $1" >&2
  exit 2
  ;;
esac
