/** Where the schemas of messages are kept that others wrote. */
export type { ForeignSchemas } from '../../utilities/foreign-schemas.ts'
