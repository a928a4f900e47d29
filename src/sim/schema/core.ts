/** The other kinds of core/v1 that are served, as Kubernetes 1.36 publishes them; the notation is that of parse.ts. */
export const CORE_TYPES = `
Namespace: metadata=1 ObjectMeta; spec=2 NamespaceSpec; status=3 NamespaceStatus
NamespaceSpec: finalizers=1 []string
NamespaceStatus: phase=1 string; conditions=2 []NamespaceCondition key(type) merge(type)
NamespaceCondition: type=1 string always; status=2 string always; lastTransitionTime=4 time;
  reason=5 string; message=6 string
Node: metadata=1 ObjectMeta; spec=2 NodeSpec; status=3 NodeStatus
NodeSpec: podCIDR=1 string; podCIDRs=7 []string set merge; providerID=3 string;
  unschedulable=4 bool; taints=5 []Taint; configSource=6 *NodeConfigSource; externalID=2 string
Taint: key=1 string always; value=2 string; effect=3 string always; timeAdded=4 *time
NodeConfigSource: configMap=2 *ConfigMapNodeConfigSource
ConfigMapNodeConfigSource: namespace=1 string always; name=2 string always; uid=3 string;
  resourceVersion=4 string; kubeletConfigKey=5 string always
NodeStatus: capacity=1 map quantity; allocatable=2 map quantity; phase=3 string;
  conditions=4 []NodeCondition key(type) merge(type);
  addresses=5 []NodeAddress key(type) merge(type); daemonEndpoints=6 NodeDaemonEndpoints;
  nodeInfo=7 NodeSystemInfo; images=8 []ContainerImage; volumesInUse=9 []string;
  volumesAttached=10 []AttachedVolume; config=11 *NodeConfigStatus;
  runtimeHandlers=12 []NodeRuntimeHandler; features=13 *NodeFeatures; declaredFeatures=14 []string
NodeCondition: type=1 string always; status=2 string always; lastHeartbeatTime=3 time;
  lastTransitionTime=4 time; reason=5 string; message=6 string
NodeAddress: type=1 string always; address=2 string always
NodeDaemonEndpoints: kubeletEndpoint=1 DaemonEndpoint
DaemonEndpoint: Port=1 int32 always
NodeSystemInfo: machineID=1 string always; systemUUID=2 string always; bootID=3 string always;
  kernelVersion=4 string always; osImage=5 string always; containerRuntimeVersion=6 string always;
  kubeletVersion=7 string always; kubeProxyVersion=8 string always;
  operatingSystem=9 string always; architecture=10 string always; swap=11 *NodeSwapStatus
NodeSwapStatus: capacity=1 *int64
ContainerImage: names=1 []string always; sizeBytes=2 int64
AttachedVolume: name=1 string always; devicePath=2 string always
NodeConfigStatus: assigned=1 *NodeConfigSource; active=2 *NodeConfigSource;
  lastKnownGood=3 *NodeConfigSource; error=4 string
NodeRuntimeHandler: name=1 string always; features=2 *NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts=1 *bool; userNamespaces=2 *bool
NodeFeatures: supplementalGroupsPolicy=1 *bool
Service: metadata=1 ObjectMeta; spec=2 ServiceSpec; status=3 ServiceStatus
ServiceSpec: ports=1 []ServicePort key(port,protocol) merge(port); selector=2 map string atomic;
  clusterIP=3 string; clusterIPs=18 []string; type=4 string; externalIPs=5 []string;
  sessionAffinity=7 string; loadBalancerIP=8 string; loadBalancerSourceRanges=9 []string;
  externalName=10 string; externalTrafficPolicy=11 string; healthCheckNodePort=12 int32;
  publishNotReadyAddresses=13 bool; sessionAffinityConfig=14 *SessionAffinityConfig;
  ipFamilies=19 []string; ipFamilyPolicy=17 *string; allocateLoadBalancerNodePorts=20 *bool;
  loadBalancerClass=21 *string; internalTrafficPolicy=22 *string; trafficDistribution=23 *string
ServicePort: name=1 string; protocol=2 string; appProtocol=6 *string; port=3 int32 always;
  targetPort=4 intstr; nodePort=5 int32
SessionAffinityConfig: clientIP=1 *ClientIPConfig
ClientIPConfig: timeoutSeconds=1 *int32
ServiceStatus: loadBalancer=1 LoadBalancerStatus; conditions=2 []Condition key(type) merge(type)
LoadBalancerStatus: ingress=1 []LoadBalancerIngress
LoadBalancerIngress: ip=1 string; hostname=2 string; ipMode=3 *string; ports=4 []PortStatus
PortStatus: port=1 int32 always; protocol=2 string always; error=3 *string
Secret: metadata=1 ObjectMeta; immutable=5 *bool; data=2 map bytes; stringData=4 map string;
  type=3 string
ConfigMap: metadata=1 ObjectMeta; immutable=4 *bool; data=2 map string; binaryData=3 map bytes
ServiceAccount: metadata=1 ObjectMeta; secrets=2 []ObjectReference key(name) merge(name);
  imagePullSecrets=3 []LocalObjectReference; automountServiceAccountToken=4 *bool
ObjectReference atomic: kind=1 string; namespace=2 string; name=3 string; uid=4 string;
  apiVersion=5 string; resourceVersion=6 string; fieldPath=7 string
Event: metadata=1 ObjectMeta; involvedObject=2 ObjectReference; reason=3 string; message=4 string;
  source=5 EventSource; firstTimestamp=6 time; lastTimestamp=7 time; count=8 int32; type=9 string;
  eventTime=10 microtime; series=11 *EventSeries; action=12 string; related=13 *ObjectReference;
  reportingComponent=14 string always; reportingInstance=15 string always
EventSource: component=1 string; host=2 string
EventSeries: count=1 int32; lastObservedTime=2 microtime
ResourceQuota: metadata=1 ObjectMeta; spec=2 ResourceQuotaSpec; status=3 ResourceQuotaStatus
ResourceQuotaSpec: hard=1 map quantity; scopes=2 []string; scopeSelector=3 *ScopeSelector
ScopeSelector atomic: matchExpressions=1 []ScopedResourceSelectorRequirement
ScopedResourceSelectorRequirement: scopeName=1 string always; operator=2 string always;
  values=3 []string
ResourceQuotaStatus: hard=1 map quantity; used=2 map quantity
LimitRange: metadata=1 ObjectMeta; spec=2 LimitRangeSpec
LimitRangeSpec: limits=1 []LimitRangeItem always
LimitRangeItem: type=1 string always; max=2 map quantity; min=3 map quantity;
  default=4 map quantity; defaultRequest=5 map quantity; maxLimitRequestRatio=6 map quantity
Endpoints: metadata=1 ObjectMeta; subsets=2 []EndpointSubset
EndpointSubset: addresses=1 []EndpointAddress; notReadyAddresses=2 []EndpointAddress;
  ports=3 []EndpointPort
EndpointAddress atomic: ip=1 string always; hostname=3 string; nodeName=4 *string;
  targetRef=2 *ObjectReference
EndpointPort atomic: name=1 string; port=2 int32 always; protocol=3 string; appProtocol=4 *string
`;
