#!/bin/bash
# dockerd.sh NAME HOST_ADDRESS INNER_ADDRESS DATA_FOLDER RUN_FOLDER
#
# A docker daemon in a network namespace of its own, for as long as stdin stays open: whatever way the program that
# started us ends, its end of that pipe closes, and containers, daemon and namespace go. The machine's own iptables
# and routes are never touched. Prints "ready" on stdout once the daemon answers on RUN_FOLDER/docker.sock.
#
# DATA_FOLDER outlives us (it holds the images and docker's build cache); one daemon at a time may have it.
set -uo pipefail
name=$1 host=$2 inner=$3 data=$4 run=$5
here=$(dirname "$(readlink -f "$0")")
export DOCKER_HOST=unix://$run/docker.sock

say() { echo "$*" >&2; }
link() { echo "${name}h"; }

up() {
  ip netns add "$name" &&
    ip link add "$(link)" type veth peer name eth0 netns "$name" &&
    ip addr add "$host/30" dev "$(link)" &&
    ip link set "$(link)" up &&
    ip -n "$name" addr add "$inner/30" dev eth0 &&
    ip -n "$name" link set eth0 up &&
    ip -n "$name" link set lo up &&
    ip -n "$name" route add default via "$host" || return 1

  # A sandbox may withhold CAP_SYS_RESOURCE (bit 24), which `docker run --privileged` asks for.
  local runtime=()
  if (((0x$(awk '/^CapBnd/ {print $2}' /proc/self/status) >> 24 & 1) == 0)); then
    runtime=(--add-runtime "nores=$here/runc-without-sys-resource.sh" --default-runtime nores)
  fi
  # nsenter, as `ip netns exec` would hide /sys/fs/cgroup. The lock (9) is ours alone.
  nsenter --net="/run/netns/$name" dockerd --host "$DOCKER_HOST" --data-root "$data" --exec-root "$run/exec" \
    --pidfile "$run/dockerd.pid" --exec-opt native.cgroupdriver=cgroupfs "${runtime[@]}" >"$run/dockerd.log" 2>&1 9>&- &
  dockerd=$!
  for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && return 0
    kill -0 $dockerd 2>/dev/null || break
    sleep 0.1
  done
  say "dockerd does not answer; its log ends with:"
  tail -n 15 "$run/dockerd.log" >&2
  return 1
}

remove_containers() {
  local all
  all=$(docker ps --all --quiet) && [ -n "$all" ] && docker rm --force --volumes $all >/dev/null
}

down() {
  trap '' TERM INT HUP
  if [ -n "${dockerd:-}" ]; then
    remove_containers
    kill "$dockerd" 2>/dev/null
    wait "$dockerd" 2>/dev/null
  fi
  ip link delete "$(link)" 2>/dev/null
  ip netns delete "$name" 2>/dev/null
}

mkdir -p "$data" "$run"
exec 9>"$data.lock"
if ! flock --nonblock 9; then
  say "Waiting for another run on this machine to give back $data"
  flock --wait 3600 9 || exit 1
fi
trap down EXIT
trap 'exit 1' TERM INT HUP
up || exit 1
remove_containers # of a run whose machine went down
docker image prune --force --filter until=240h >/dev/null
echo ready
cat >/dev/null
