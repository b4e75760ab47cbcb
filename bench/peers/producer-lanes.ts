/** Who reads the file and fills inflow: Tidemark, kafkajs as it is with batches of two sizes, and the Java client. */
import { join } from 'node:path'
import type { Command } from './process.ts'
import { javaPeer } from './tools.ts'

export type ProducerJob = {
  readonly brokers: string
  readonly topic: string
  readonly file: string
  readonly years: string
  readonly configFile: string
}

export type ProducerLane = {
  readonly word: string
  readonly name: string
  readonly guarantee: string
  prepare(): Promise<(job: ProducerJob) => Command>
}

const kafkajs = (perSend: number): ProducerLane => ({
  word: `produce-kafkajs-${perSend}`,
  name: `kafkajs as it is, ${perSend} a send`,
  guarantee: 'idempotent',
  prepare:
    async () =>
    ({ brokers, topic, file }) => ({
      file: process.execPath,
      args: [join(import.meta.dirname, 'kafkajs', 'produce.ts'), brokers, topic, file, String(perSend)],
      env: { NODE_NO_WARNINGS: '1' },
    }),
})

export const tidemarkProducer: ProducerLane = {
  word: 'produce',
  name: 'Tidemark',
  guarantee: 'transactions, with what the topic holds',
  prepare:
    async () =>
    ({ file, years, configFile }) => ({
      file: process.execPath,
      args: ['tidemark.js', 'produce', '--years', years, '--file', file, '--config', configFile],
    }),
}

export const producerLanes: readonly ProducerLane[] = [
  tidemarkProducer,
  kafkajs(500),
  kafkajs(1000),
  {
    word: 'produce-java',
    name: 'the Java client',
    guarantee: 'idempotent',
    async prepare() {
      const { java, classPath } = await javaPeer('java-client', ['java/Words', 'java-client/LoanProducer'])
      return ({ brokers, topic, file }) => ({
        file: java,
        args: [
          '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
          '-Xmx1g',
          '-XX:+UseParallelGC',
          '-cp',
          classPath,
          'LoanProducer',
          `brokers=${brokers}`,
          `topic=${topic}`,
          `file=${file}`,
          'batchBytes=262144',
          'lingerMs=5',
        ],
      })
    },
  },
]
