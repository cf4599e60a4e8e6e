# For the other scripts here: how a server process is found, stopped and started by hand.
#
# From the environment:
#   NODES  file with a line for each process, separated by tabs: name, role, gRPC address, configuration folder, its
#          environment, log file; in the order in which they are replaced
#   NEW    the server program that they are to run

set -euo pipefail
: "${NODES:?}" "${NEW:?}"

# The process that runs from a configuration folder; nothing when there is none.
pid_of() { # folder
  pgrep -f -- "--config $1 " || true
}

stop() { # folder
  local pid
  pid=$(pid_of "$1")
  [ -n "$pid" ] || return 0
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
}

start() { # folder environment role log
  setsid "$NEW" --root / --config "$1" --env "$2" --allow-no-auth start "--service=$3" >>"$4" 2>&1 </dev/null &
}

listens() { # host:port
  (exec 3<>"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null
}
