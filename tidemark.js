#!/usr/bin/env node
// Starts Tidemark on Node 24 or newer: on this Node if it is, else on the one that came with the package; with little room for young
// objects, which Node lets grow to three times as much for nothing (docs/decisions/0030-room-for-young-objects.md).
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as modules from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const options = ['--max-semi-space-size=16']
const isTold = `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`.includes('semi-space-size')
const command = [fileURLToPath(import.meta.url), ...process.argv.slice(2)]

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Node takes it only at its start. The same process begins again, in some 30 ms; Windows has no such thing, and goes without.
  if (!isTold && !process.channel && process.platform !== 'win32')
    process.execve?.(process.execPath, [process.execPath, ...options, ...process.execArgv, ...command], process.env)
  // Started by the lines below: goes down with the process that the user sees, even when that one is killed.
  if (process.channel) {
    process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
    process.channel.unref()
  }
  modules.enableCompileCache()
  const checkout = existsSync(new URL('./cli.ts', import.meta.url))
  await import(checkout ? './cli.ts' : './dist/cli.js')
} else {
  const folder = dirname(modules.createRequire(import.meta.url).resolve('node/package.json'))
  const node = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(node)) {
    process.stderr.write(
      `tidemark: Node 24 is needed and this is ${process.version}. Install Node 24, or reinstall tidemark with install scripts ` +
        'allowed: they bring it along.\n',
    )
    process.exit(1)
  }
  const child = spawn(node, [...(isTold ? [] : options), ...command], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  // A terminal sends Ctrl-C to both; this one waits for the other to finish cleanly.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => {
    if (signal) process.kill(process.pid, signal === 'SIGINT' ? 'SIGTERM' : signal)
    process.exitCode = code ?? 1
  })
}
