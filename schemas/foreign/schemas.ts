/** Where the schemas of messages are kept that others wrote. */

export interface ForeignSchemas {
  /** The text of the Avro schema with that id (a number as text, or a UUID); undefined when there is none. */
  find(id: string): Promise<string | undefined>
}
