/** The answers of Kafka's brokers as kafkajs decodes them: the fields that are used. 64-bit numbers come as text. */
export type Answers = {
  readonly Metadata: {
    readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
    readonly controllerId: number
    readonly topicMetadata: readonly {
      readonly topic: string
      readonly topicErrorCode: number
      readonly isInternal: boolean
      readonly partitionMetadata: readonly {
        readonly partitionId: number
        readonly leader: number
        readonly replicas: readonly number[]
        readonly isr: readonly number[]
      }[]
    }[]
  }
  readonly GroupCoordinator: { readonly errorCode: number; readonly coordinator: { readonly host: string; readonly port: number } }
  readonly InitProducerId: { readonly errorCode: number; readonly producerId: string; readonly producerEpoch: number }
  readonly AddPartitionsToTxn: {
    readonly errors: readonly {
      readonly topic: string
      readonly partitionErrors: readonly { readonly partition: number; readonly errorCode: number }[]
    }[]
  }
  readonly AddOffsetsToTxn: { readonly errorCode: number }
  readonly TxnOffsetCommit: { readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[] }
  readonly EndTxn: { readonly errorCode: number }
  readonly ListOffsets: {
    readonly responses: readonly {
      readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[]
    }[]
  }
  readonly CreateTopics: { readonly topicErrors: readonly { readonly errorCode: number; readonly errorMessage: string | null }[] }
  readonly DescribeConfigs: {
    readonly resources: readonly {
      readonly errorCode: number
      readonly resourceName: string
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[]
    }[]
  }
  readonly DeleteRecords: { readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[] }
  readonly JoinGroup: {
    readonly errorCode: number
    readonly generationId: number
    readonly leaderId: string
    readonly memberId: string
    /** For the leader alone. */
    readonly members: readonly { readonly memberId: string }[]
  }
  readonly SyncGroup: { readonly errorCode: number; readonly memberAssignment: Buffer }
  readonly Heartbeat: { readonly errorCode: number }
  readonly LeaveGroup: { readonly errorCode: number }
  readonly DescribeGroups: {
    readonly groups: readonly {
      readonly errorCode: number
      readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
    }[]
  }
}
