#!/usr/bin/env bash
# Replaces the servers of a cluster as a careful person does who has read the server's source: settings with which servers
# drain are written first and taken back at the end; matching before history before frontend before worker; each process
# has left every frontend's list before the new one starts, and is SERVING, in every list and quiet for 30 s before the next.
# Measured beside temporal-upgrade by `make bench`; see servers.sh for what it needs.
#
# More from the environment:
#   DYNAMIC_CONFIG  the dynamic configuration that all of them read
#   POLL            seconds between two looks of the servers at it
#   FRONTENDS       gRPC addresses of the frontends, separated by spaces
#   TDBG            Temporal's tdbg

. "$(dirname "${BASH_SOURCE[0]}")/servers.sh"
: "${DYNAMIC_CONFIG:?}" "${POLL:?}" "${FRONTENDS:?}" "${TDBG:?}"
QUIET=30

declare -A HEALTH=(
  [frontend]=temporal.api.workflowservice.v1.WorkflowService
  [history]=temporal.api.workflowservice.v1.HistoryService
  [matching]=temporal.api.workflowservice.v1.MatchingService
  [worker]=temporal.api.workflowservice.v1.WorkerService
)

# gRPC health by hand: a message of five bytes of frame and the name as field 1; the answer 08 01 is SERVING.
serving() { # host:port role
  local name=${HEALTH[$2]} answer
  answer=$(printf "\\0\\0\\0\\0\\x$(printf %02x $((${#name} + 2)))\\x0a\\x$(printf %02x ${#name})%s" "$name" |
    curl --silent --max-time 2 --http2-prior-knowledge --request POST --header 'content-type: application/grpc' \
      --header 'te: trailers' --data-binary @- "http://$1/grpc.health.v1.Health/Check" | od -An -tx1 | tr -d ' \n') || return 1
  [ "$answer" = 00000000020801 ]
}

# The members of all rings as a frontend sees them.
members_at() { # host:port
  "$TDBG" --address "$1" membership list-gossip 2>/dev/null | grep -o '"identity": *"[^"]*"' | sort
}

# Whether every frontend that answers has the address in its lists, or none has it.
everywhere() { # host:port yes|no
  local frontend members
  for frontend in $FRONTENDS; do
    listens "$frontend" || continue
    members=$(members_at "$frontend") || return 1
    if grep -q "\"$1\"" <<<"$members"; then [ "$2" = yes ] || return 1; else [ "$2" = no ] || return 1; fi
  done
}

all_members() {
  local frontend
  for frontend in $FRONTENDS; do members_at "$frontend"; done
}

# Until nobody has come or gone for a while.
wait_until_quiet() {
  local before now since=$SECONDS
  before=$(all_members)
  while [ $((SECONDS - since)) -lt "$QUIET" ]; do
    sleep 5 # tdbg takes a third of a core each time
    now=$(all_members)
    [ "$now" = "$before" ] || since=$SECONDS
    before=$now
  done
}

# Else nobody would ever be seen to leave, and this would wait for ever.
[ -n "$(all_members)" ] || { echo "$TDBG names no member of the rings at $FRONTENDS" >&2; exit 1; }

original=$(mktemp)
cp "$DYNAMIC_CONFIG" "$original"
cat >>"$DYNAMIC_CONFIG" <<'SETTINGS'

frontend.shutdownFailHealthCheckDuration: [{ value: 15s }]
frontend.shutdownDrainDuration: [{ value: 75s }]
matching.alignMembershipChange: [{ value: 10s }]
history.alignMembershipChange: [{ value: 10s }]
history.startupMembershipJoinDelay: [{ value: 10s }]
SETTINGS
sleep $((POLL + 1))

for wanted in matching history frontend worker; do
  while IFS=$'\t' read -r name role address folder environment log; do
    [ "$role" = "$wanted" ] || continue
    echo "$name"
    stop "$folder"
    until everywhere "$address" no; do sleep 0.5; done
    start "$folder" "$environment" "$role" "$log"
    until serving "$address" "$role"; do sleep 0.5; done
    until everywhere "$address" yes; do sleep 0.5; done
    wait_until_quiet
  done <"$NODES"
done

cat "$original" >"$DYNAMIC_CONFIG"
rm "$original"
sleep $((POLL + 1))
