/** EndpointSlice (discovery.k8s.io/v1), NetworkPolicy (networking.k8s.io/v1), Lease (coordination.k8s.io/v1), Event (events.k8s.io/v1; types prefixed "Events"), as Kubernetes 1.36 publishes them; the notation is that of parse.ts. */
export const GROUP_TYPES = `
EndpointSlice: metadata=1 ObjectMeta; addressType=4 string always; endpoints=2 []Endpoint always;
  ports=3 []DiscoveryEndpointPort always
Endpoint: addresses=1 []string always set; conditions=2 EndpointConditions; hostname=3 *string;
  targetRef=4 *ObjectReference; deprecatedTopology=5 map string; nodeName=6 *string;
  zone=7 *string; hints=8 *EndpointHints
EndpointConditions: ready=1 *bool; serving=2 *bool; terminating=3 *bool
EndpointHints: forZones=1 []ForZone; forNodes=2 []ForNode
ForZone: name=1 string always
ForNode: name=1 string always
DiscoveryEndpointPort atomic: name=1 *string; protocol=2 *string; port=3 *int32;
  appProtocol=4 *string
NetworkPolicy: metadata=1 ObjectMeta; spec=2 NetworkPolicySpec
NetworkPolicySpec: podSelector=1 LabelSelector; ingress=2 []NetworkPolicyIngressRule;
  egress=3 []NetworkPolicyEgressRule; policyTypes=4 []string
NetworkPolicyIngressRule: ports=1 []NetworkPolicyPort; from=2 []NetworkPolicyPeer
NetworkPolicyPort: protocol=1 *string; port=2 *intstr; endPort=3 *int32
NetworkPolicyPeer: podSelector=1 *LabelSelector; namespaceSelector=2 *LabelSelector;
  ipBlock=3 *IPBlock
IPBlock: cidr=1 string always; except=2 []string
NetworkPolicyEgressRule: ports=1 []NetworkPolicyPort; to=2 []NetworkPolicyPeer
Lease: metadata=1 ObjectMeta; spec=2 LeaseSpec
LeaseSpec: holderIdentity=1 *string; leaseDurationSeconds=2 *int32; acquireTime=3 *microtime;
  renewTime=4 *microtime; leaseTransitions=5 *int32; strategy=6 *string; preferredHolder=7 *string
EventsEvent: metadata=1 ObjectMeta; eventTime=2 microtime; series=3 *EventsEventSeries;
  reportingController=4 string; reportingInstance=5 string; action=6 string; reason=7 string;
  regarding=8 ObjectReference; related=9 *ObjectReference; note=10 string; type=11 string;
  deprecatedSource=12 EventSource; deprecatedFirstTimestamp=13 time;
  deprecatedLastTimestamp=14 time; deprecatedCount=15 int32
EventsEventSeries: count=1 int32 always; lastObservedTime=2 microtime
`;
