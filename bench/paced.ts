/** Times work that stays inside a process: once to warm up, then again and again until the clock can be trusted. */

const leastMs = 500

export type Paced = { readonly rows: number; readonly seconds: number }

/** The work says how many rows it went through; each round must begin afresh. */
export async function paced(round: () => number | Promise<number>): Promise<Paced> {
  await round()
  let rows = 0
  const startedMs = performance.now()
  while (performance.now() - startedMs < leastMs) rows += await round()
  return { rows, seconds: (performance.now() - startedMs) / 1000 }
}

/** Runs the case that the command line names and prints what it took, for the parent to read. */
export async function runNamedCase(cases: ReadonlyMap<string, (file: string) => Promise<Paced>>): Promise<void> {
  const [file, name] = process.argv.slice(2)
  const work = cases.get(name!)
  if (!work) throw new TypeError(`there is no case ${name}`)
  process.stdout.write(JSON.stringify(await work(file!)))
}
