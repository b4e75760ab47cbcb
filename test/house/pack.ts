/**
 * Makes the package's dist: the types of every file, and its code in a few large ones. Node takes twice as long to find three hundred small
 * ones as to run what most commands do with them.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { sourcesIn } from './sources.ts'

type Package = { readonly dependencies: Readonly<Record<string, string>> }

/** What is started by its name, as the program, a thread or a process, and what users' definitions import. */
const isEntry = (file: string) => ['cli.ts', 'definitions.ts'].includes(file) || /(-thread|-body)\.ts$/.test(file)

/** What `init` writes as it stands. */
const copied = 'examples/invoices/definitions.ts'

/** Code that looks for a file beside its own still finds it, whichever large file it has come into. */
const mark = 'place of '
const places = {
  name: 'places',
  transform: (code: string, id: string) =>
    id.includes('node_modules') || !code.includes('import.meta.url')
      ? null
      : code.replaceAll(
          'import.meta.url',
          `new URL(${JSON.stringify(`${mark}${relative(resolve('.'), id).replace(/\.ts$/, '.js')}`)}, import.meta.url).href`,
        ),
  renderChunk: (code: string, { fileName }: { readonly fileName: string }) =>
    code.replace(new RegExp(`(["'\`])${mark}([^"'\`]+)\\1`, 'g'), (_, _quote, file: string) =>
      JSON.stringify(`./${relative(dirname(fileName), file)}`),
    ),
}

export async function pack(folder: string): Promise<void> {
  const { include } = JSON.parse(readFileSync('tsconfig.build.json', 'utf8')) as { readonly include: readonly string[] }
  const own = sourcesIn().filter(({ file }) => include.some((one) => file === one || file.startsWith(`${one}/`)))
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Package
  rmSync(folder, { recursive: true, force: true })
  const bundle = await rolldown({
    input: Object.fromEntries(own.filter(({ file }) => isEntry(file)).map(({ file }) => [file.replace(/\.ts$/, ''), file])),
    platform: 'node',
    // Measured: to have them inside saves nothing more.
    external: Object.keys(dependencies),
    plugins: [places],
  })
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'parts/[name]-[hash].js' })
  await bundle.close()
  const tsc = [join('node_modules', '.bin', 'tsc'), '-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder]
  const { status } = spawnSync(tsc[0]!, tsc.slice(1), { stdio: 'inherit' })
  if (status !== 0) throw new Error('the types were not made')
  copyFileSync(copied, join(folder, copied))
}

if (import.meta.main) await pack('dist')
