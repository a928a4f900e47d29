/** Types of apimachinery meta/v1, as Kubernetes 1.36 publishes them; the notation is that of parse.ts. */
export const META_TYPES = `
ObjectMeta: name=1 string; generateName=2 string; namespace=3 string; selfLink=4 string;
  uid=5 string; resourceVersion=6 string; generation=7 int64; creationTimestamp=8 time omitzero;
  deletionTimestamp=9 *time; deletionGracePeriodSeconds=10 *int64; labels=11 map string;
  annotations=12 map string; ownerReferences=13 []OwnerReference key(uid) merge(uid);
  finalizers=14 []string set merge; managedFields=17 []ManagedFieldsEntry
OwnerReference atomic: apiVersion=5 string always; kind=1 string always; name=3 string always;
  uid=4 string always; controller=6 *bool; blockOwnerDeletion=7 *bool
ManagedFieldsEntry: manager=1 string; operation=2 string; apiVersion=3 string; time=4 *time;
  fieldsType=6 string; fieldsV1=7 *fieldsv1; subresource=8 string
LabelSelector atomic: matchLabels=1 map string; matchExpressions=2 []LabelSelectorRequirement
LabelSelectorRequirement: key=1 string always; operator=2 string always; values=3 []string
Condition: type=1 string always; status=2 string always; observedGeneration=3 int64;
  lastTransitionTime=4 time; reason=5 string always; message=6 string always
Status: metadata=1 ListMeta; status=2 string; message=3 string; reason=4 string;
  details=5 *StatusDetails; code=6 int32
ListMeta: selfLink=1 string; resourceVersion=2 string; continue=3 string;
  remainingItemCount=4 *int64; shardInfo=5 *ShardInfo
ShardInfo: selector=1 string always
StatusDetails: name=1 string; group=2 string; kind=3 string; uid=6 string; causes=4 []StatusCause;
  retryAfterSeconds=5 int32
StatusCause: reason=1 string; message=2 string; field=3 string
DeleteOptions: gracePeriodSeconds=1 *int64; preconditions=2 *Preconditions;
  orphanDependents=3 *bool; propagationPolicy=4 *string; dryRun=5 []string;
  ignoreStoreReadErrorWithClusterBreakingPotential=6 *bool
Preconditions: uid=1 *string; resourceVersion=2 *string
PartialObjectMetadata: metadata=1 ObjectMeta
Table: metadata=0 ListMeta; columnDefinitions=0 []TableColumnDefinition always;
  rows=0 []TableRow always
TableColumnDefinition: name=0 string always; type=0 string always; format=0 string always;
  description=0 string always; priority=0 int32 always
TableRow: conditions=0 []TableRowCondition; object=0 raw
TableRowCondition: type=0 string always; status=0 string always; reason=0 string; message=0 string
`;
