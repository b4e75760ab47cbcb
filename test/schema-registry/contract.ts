/** What every schema registry with Confluent's API must say, whoever wrote it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeObject } from '../../schemas/avro/generic.ts'
import type { AvroType } from '../../schemas/avro/schema.ts'
import { foreignDecoder } from '../../schemas/foreign/decoder.ts'
import { integer, timestamp } from '../../schemas/record.ts'
import { table } from '../../schemas/table.ts'
import { openSchemaRegistry } from '../../utilities/schema-registry/client.ts'
import { messagesOf } from '../foreign-messages.ts'
import { linesOf } from '../foreign-rows.ts'

export type Posted = {
  readonly schema: string
  readonly schemaType?: string
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
}

export type TestSchemas = {
  readonly url: string
  /** The id that the registry gave it. */
  post(subject: string, schema: Posted): Promise<string>
  stop(): Promise<void>
}

const record = (name: string, ...fields: readonly object[]) => JSON.stringify({ type: 'record', name, namespace: 'com.shop', fields })
const street = record('Street', { name: 'name', type: 'string' })
const address = record('Address', { name: 'street', type: 'Street' }, { name: 'before', type: ['null', 'Street'] })
const customer = record('Customer', { name: 'home', type: 'com.shop.Address' }, { name: 'work', type: ['null', 'com.shop.Address'] })

export function schemaRegistryContract(name: string, start: () => Promise<TestSchemas>): void {
  describe(`a schema registry: ${name}`, () => {
    let server: TestSchemas
    beforeAll(async () => {
      server = await start()
    }, 600_000)
    afterAll(() => server?.stop())

    it('gives the text of a schema by its number', async () => {
      const id = await server.post('street-value', { schema: street })
      expect(JSON.parse((await openSchemaRegistry(server).find(id))!)).toEqual(JSON.parse(street))
    })

    it('has no schema under a number that it never gave', async () => {
      expect(await openSchemaRegistry(server).find('987654')).toBeUndefined()
    })

    it('gives a schema that refers to others with all of them in it, each once', async () => {
      await server.post('streets', { schema: street })
      await server.post('addresses', { schema: address, references: [{ name: 'com.shop.Street', subject: 'streets', version: 1 }] })
      const references = [{ name: 'com.shop.Address', subject: 'addresses', version: 1 }]
      const id = await server.post('customers-value', { schema: customer, references })
      const text = (await openSchemaRegistry(server).find(id))!
      const whole = JSON.parse(text) as { fields: readonly { readonly type: unknown }[] }
      expect(whole.fields[0]!.type).toMatchObject({
        type: 'record',
        name: 'com.shop.Address',
        fields: [{ type: { name: 'com.shop.Street' } }, {}],
      })
      expect(whole.fields[1]!.type).toEqual(['null', 'com.shop.Address'])
    })

    it('has the schema by which a message is read that names its number', async () => {
      const payment = record(
        'Payment',
        { name: 'id', type: 'long' },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      )
      const number = Buffer.alloc(5)
      number.writeInt32BE(Number(await server.post('payments-value', { schema: payment })), 1)
      const payload = encodeObject(JSON.parse(payment) as AvroType, { id: 2n ** 60n, at: 1n })
      const payments = table('payments', { key: 'id' }, { id: integer(), at: timestamp() })
      const decode = foreignDecoder({ ...payments, format: 'avro', framing: 'confluent' }, openSchemaRegistry(server))
      const { rows, dead } = await decode(messagesOf([{ value: Buffer.concat([number, payload]) }]))
      expect([linesOf(rows), dead]).toEqual([[`${2n ** 60n} | 1970-01-01T00:00:00.001Z`], []])
    })

    it('has no Avro under the number of what is none', async () => {
      const id = await server.post('json-value', {
        schema: '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}',
        schemaType: 'JSON',
      })
      expect(await openSchemaRegistry(server).find(id)).toBeUndefined()
    })

    it('is told from what else may answer at an address, since nothing there has a schema', async () => {
      const elsewhere = openSchemaRegistry({ url: `${server.url}/nothing/here` }, { pace: 0 })
      await expect(elsewhere.find('1')).rejects.toThrow(/is no schema registry: it says 404 when asked for .* Check the url/s)
    })
  })
}
