import { run } from "../support/command";
import { checkout, makeFolder, removeFolder } from "../support/workspace";

const shells: [string, string[]][] = [
  ["dash, the shell of Debian images", ["dash"]],
  ["busybox, the shell of the official image", ["busybox", "ash"]],
];

describe.each(shells)("%s", (_, shell) => {
  const [program, ...args] = shell as [string, ...string[]];

  test.each(["writer.sh", "reloader.sh", "probe.sh", "healthcheck.sh"])("reads %s without a fault", async (script) => {
    const result = await run(program, [...args, "-n", `${checkout}/constructs/broker/scripts/${script}`]);
    expect(result).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

test("busybox has every option that the scripts use", async () => {
  const folder = makeFolder("scripts");
  // The commands of the scripts, each by busybox itself.
  const script = `
    set -eu
    cd "$1"
    for name in rm mkdir mktemp cp chmod chown mv ln readlink basename cat grep tail timeout sleep date cmp sed; do
      alias $name="busybox $name"
    done
    [ -d "$(mktemp -d "$PWD/stage.XXXXXX")" ]; [ "$(printf "a\\nb\\n" | tail -n 1)" = b ]
    mkdir -p sets/one; mkdir sets/two
    ln -s sets/one live.new; chown -h "$(id -u):$(id -g)" live.new; mv -T live.new live
    ln -s sets/two live.new; mv -T live.new live
    [ "$(basename "$(readlink live)")" = two ]
    printf 'a remark\\n%s\\n' word | grep -qx word
    ! printf '%s\\n' words | grep -qx word
    timeout 5 sleep 0.1
    [ "$(printf 'a\\nlistener 1\\nb\\n' | sed '/^listener /,$d')" = a ]
    cmp -s /dev/null /dev/null; ! cmp -s /dev/null missing
    [ "$(date +%s)" -gt 1000000000 ]
    touch sets/one/file; chmod 0400 sets/one/*; chown -R "$(id -u):$(id -g)" sets; rm -rf sets/one
    echo ok`;
  try {
    // Aliases are read line by line, so the script comes as a file.
    const result = await run("busybox", ["ash", "-s", folder], { input: script });
    expect(result).toMatchObject({ code: 0, stdout: "ok\n" });
  } finally {
    removeFolder(folder);
  }
});
