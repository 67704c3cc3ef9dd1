// By their keys, from 0 on: https://kafka.apache.org/protocol#protocol_api_keys
const names =
  `Produce Fetch ListOffsets Metadata LeaderAndIsr StopReplica UpdateMetadata ControlledShutdown OffsetCommit
OffsetFetch FindCoordinator JoinGroup Heartbeat LeaveGroup SyncGroup DescribeGroups ListGroups SaslHandshake ApiVersions
CreateTopics DeleteTopics DeleteRecords InitProducerId OffsetForLeaderEpoch AddPartitionsToTxn AddOffsetsToTxn EndTxn
WriteTxnMarkers TxnOffsetCommit DescribeAcls CreateAcls DeleteAcls DescribeConfigs AlterConfigs AlterReplicaLogDirs
DescribeLogDirs SaslAuthenticate CreatePartitions`.split(/\s+/);

/** The key of a request by its name, as Kafka's documentation has it; `undefined` for one that is not known here. */
export function apiKey(name: string): number | undefined {
  const key = names.indexOf(name);
  return key < 0 ? undefined : key;
}
