// Moves the clock of the process or test that loads it, as `LATER_DAYS` says, and says what time it is then.
const shift = Number(process.env.LATER_DAYS) * 86_400_000;
const now = Date.now;

globalThis.Date = new Proxy(Date, {
  get: (target, key) => (key === "now" ? () => now() + shift : Reflect.get(target, key)),
  construct: (target, args, as) => Reflect.construct(target, args.length === 0 ? [now() + shift] : args, as),
  apply: () => new Date().toString(),
});

process.stderr.write(`It is ${new Date().toISOString()} in ${Intl.DateTimeFormat().resolvedOptions().timeZone}\n`);
