/** The few parts of the PostgreSQL client `pg` that the tests use; the package brings no types. */
declare module 'pg' {
  export type FieldInfo = { readonly name: string; readonly dataTypeID: number; readonly dataTypeModifier: number }
  /** Every value as the text that PostgreSQL gave. */
  export type Answer = {
    readonly command: string
    readonly rowCount: number | null
    readonly fields: readonly FieldInfo[]
    readonly rows: readonly (readonly (string | null)[])[]
  }
  export type Options = {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly database: string
    readonly types: { getTypeParser(): (text: string) => string }
  }
  export class Client {
    readonly processID: number
    constructor(options: Options)
    connect(): Promise<void>
    query(query: { readonly text: string; readonly values?: readonly string[]; readonly rowMode: 'array' }): Promise<Answer>
    on(event: 'error' | 'notice', listener: (error: Error) => void): this
    end(): Promise<void>
  }
}
