# SPDX-License-Identifier: MIT
# oci.jq - config.json becomes lines of bash: arrays, and functions of the steps that oci takes.
#
# Given an id, input is config.json; else it is .process alone, for exec. @sh quotes every value.
# It is short on purpose: jq takes longer to compile it than all other steps take together.

$ARGS.named as {$id, $bundle} |
def array(name; f): "\(name)=(\([f] | @sh))";
def steps(name; f): "\(name)() { :", (f | "    \(@sh) || return"), "}"; # f: commands

def most: if . >= 9223372036854775807 then "unlimited" else . end;
def process:
  @sh "tty=\(.terminal // "")", array("args"; .args[]?),
  steps("set_oom_score"; .oomScoreAdj | values | ["put", ., "/proc/self/oom_score_adj"]),
  array("process"; "-w", .cwd // "/", "-u", "\(.user.uid // 0):\(.user.gid // 0)",
    (select(.terminal) | "-t"), (.env[]? | select(index("=") > 0) | "-e", .)),
  array("rlimits"; select(.rlimits[0]?) | "prlimit",
    (.rlimits[] | "--\(.type[7:] | ascii_downcase)=\(.soft | most):\(.hard | most)"));

# Each namespace is a new one, one that has a path, or the host's.
def config:
  ([.linux.namespaces[]? | {(.type): (.path // "")}] | add // {}) as $space |
  def ours(f): ("network", "ipc", "uts") | select($space[.] | values | f) |
    "--\(.[:3])" + ($space[.] | if . == "" then "" else "=" + . end);
  (.root.path // "rootfs" | if startswith("/") then . else "\($bundle)/\(.)" end) as $rootfs |
  @sh "bundle=\($bundle) rootfs=\($rootfs) hostname=\(.hostname // "")",
  @sh "cgroup=\(.linux.cgroupsPath // "")", (.process // {} | process),
  array("limits"; .linux.resources | (.memory.limit, .memory.swap, .cpu.shares, .cpu.quota,
    .cpu.period, .pids.limit) | . // 0),
  array("options"; (.process.capabilities.bounding[]? | "--cap-add", .[4:]),
    (select(.root.readonly) | "--read-only"),
    (select((.linux.seccomp or .process.noNewPrivileges or .linux.maskedPaths[0]?) | not) |
      "--privileged")),
  array("make"; ours(. == "")), array("join"; [ours(. != "")] | select(.[0]) | "nsenter", .[]),
  if ($space.pid // "") == "" then empty
  else error("the pid namespace of another container cannot be joined") end,
  steps("set_sysctls"; (select($space.uts) | ["kernel.hostname", .hostname],
    ["kernel.domainname", .domainname]), (.linux.sysctl // {} | to_entries[] | [.key, .value]) |
    select(.[1] // "" != "") | ["sysctl", .[]]),
  steps("make_mounts"; .mounts[]? | ["make_mount", .destination, .type // "bind", .source // "none",
    (.options // [] | join(","))]),
  (.hooks as $hooks | "prestart", "createRuntime", "createContainer", "startContainer", "poststart",
    "poststop" | steps(.; $hooks[.]?[]? | ["run_hook", .timeout // 0, .path, (.env | length),
      .env[]?, (.args // [.path])[]])),
  steps("warn"; ((select($space.user) | "user namespace"), (.linux.devices[]?.path | "device \(.)"),
    (.process.user | (.additionalGids[]? | "group \(.)"), (.umask | values | "umask \(.)"))) |
    ["say", "warning", "ignored: " + .]),
  # the last, so that without it nothing has been made
  @sh "about=\({ociVersion: (.ociVersion // "1.0.2"), $id, $bundle,
    annotations: (.annotations // {})} | tojson[1:])";

if $id then config else process end
