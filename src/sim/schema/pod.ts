/** Pod of core/v1 and what it holds, volumes apart, as Kubernetes 1.36 publishes them; the notation is that of parse.ts. */
export const POD_TYPES = `
Pod: metadata=1 ObjectMeta; spec=2 PodSpec; status=3 PodStatus
PodSpec: volumes=1 []Volume key(name) merge(name) retain;
  initContainers=20 []Container key(name) merge(name);
  containers=2 []Container always key(name) merge(name);
  ephemeralContainers=34 []EphemeralContainer key(name) merge(name); restartPolicy=3 string;
  terminationGracePeriodSeconds=4 *int64; activeDeadlineSeconds=5 *int64; dnsPolicy=6 string;
  nodeSelector=7 map string atomic; serviceAccountName=8 string; serviceAccount=9 string;
  automountServiceAccountToken=21 *bool; nodeName=10 string; hostNetwork=11 bool; hostPID=12 bool;
  hostIPC=13 bool; shareProcessNamespace=27 *bool; securityContext=14 *PodSecurityContext;
  imagePullSecrets=15 []LocalObjectReference key(name) merge(name); hostname=16 string;
  subdomain=17 string; affinity=18 *Affinity; schedulerName=19 string;
  tolerations=22 []Toleration; hostAliases=23 []HostAlias key(ip) merge(ip);
  priorityClassName=24 string; priority=25 *int32; dnsConfig=26 *PodDNSConfig;
  readinessGates=28 []PodReadinessGate; runtimeClassName=29 *string; enableServiceLinks=30 *bool;
  preemptionPolicy=31 *string; overhead=32 map quantity;
  topologySpreadConstraints=33 []TopologySpreadConstraint key(topologyKey,whenUnsatisfiable) merge(topologyKey);
  setHostnameAsFQDN=35 *bool; os=36 *PodOS; hostUsers=37 *bool;
  schedulingGates=38 []PodSchedulingGate key(name) merge(name);
  resourceClaims=39 []PodResourceClaim key(name) merge(name) retain;
  resources=40 *ResourceRequirements; hostnameOverride=41 *string;
  schedulingGroup=43 *PodSchedulingGroup
LocalObjectReference atomic: name=1 string
ObjectFieldSelector atomic: apiVersion=1 string; fieldPath=2 string always
ResourceFieldSelector atomic: containerName=1 string; resource=2 string always; divisor=3 quantity
TypedLocalObjectReference atomic: apiGroup=1 *string always; kind=2 string always;
  name=3 string always
TypedObjectReference: apiGroup=1 *string always; kind=2 string always; name=3 string always;
  namespace=4 *string
Container: name=1 string always; image=2 string; command=3 []string; args=4 []string;
  workingDir=5 string; ports=6 []ContainerPort key(containerPort,protocol) merge(containerPort);
  envFrom=19 []EnvFromSource; env=7 []EnvVar key(name) merge(name);
  resources=8 ResourceRequirements; resizePolicy=23 []ContainerResizePolicy;
  restartPolicy=24 *string; restartPolicyRules=25 []ContainerRestartRule;
  volumeMounts=9 []VolumeMount key(mountPath) merge(mountPath);
  volumeDevices=21 []VolumeDevice key(devicePath) merge(devicePath); livenessProbe=10 *Probe;
  readinessProbe=11 *Probe; startupProbe=22 *Probe; lifecycle=12 *Lifecycle;
  terminationMessagePath=13 string; terminationMessagePolicy=20 string; imagePullPolicy=14 string;
  securityContext=15 *SecurityContext; stdin=16 bool; stdinOnce=17 bool; tty=18 bool
ContainerPort: name=1 string; hostPort=2 int32; containerPort=3 int32 always; protocol=4 string;
  hostIP=5 string
EnvFromSource: prefix=1 string; configMapRef=2 *ConfigMapEnvSource; secretRef=3 *SecretEnvSource
ConfigMapEnvSource: .=1 LocalObjectReference; optional=2 *bool
SecretEnvSource: .=1 LocalObjectReference; optional=2 *bool
EnvVar: name=1 string always; value=2 string; valueFrom=3 *EnvVarSource
EnvVarSource: fieldRef=1 *ObjectFieldSelector; resourceFieldRef=2 *ResourceFieldSelector;
  configMapKeyRef=3 *ConfigMapKeySelector; secretKeyRef=4 *SecretKeySelector;
  fileKeyRef=5 *FileKeySelector
ConfigMapKeySelector atomic: .=1 LocalObjectReference; key=2 string always; optional=3 *bool
SecretKeySelector atomic: .=1 LocalObjectReference; key=2 string always; optional=3 *bool
FileKeySelector atomic: volumeName=1 string always; path=2 string always; key=3 string always;
  optional=4 *bool
ResourceRequirements: limits=1 map quantity; requests=2 map quantity;
  claims=3 []ResourceClaim key(name)
ResourceClaim: name=1 string always; request=2 string
ContainerResizePolicy: resourceName=1 string always; restartPolicy=2 string always
ContainerRestartRule: action=1 string; exitCodes=2 *ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator=1 string; values=2 []int32 set
VolumeMount: name=1 string always; readOnly=2 bool; recursiveReadOnly=7 *string;
  mountPath=3 string always; subPath=4 string; mountPropagation=5 *string; subPathExpr=6 string
VolumeDevice: name=1 string always; devicePath=2 string always
Probe: .=1 ProbeHandler; initialDelaySeconds=2 int32; timeoutSeconds=3 int32;
  periodSeconds=4 int32; successThreshold=5 int32; failureThreshold=6 int32;
  terminationGracePeriodSeconds=7 *int64
ProbeHandler: exec=1 *ExecAction; httpGet=2 *HTTPGetAction; tcpSocket=3 *TCPSocketAction;
  grpc=4 *GRPCAction
ExecAction: command=1 []string
HTTPGetAction: path=1 string; port=2 intstr always; host=3 string; scheme=4 string;
  httpHeaders=5 []HTTPHeader
HTTPHeader: name=1 string always; value=2 string always
TCPSocketAction: port=1 intstr always; host=2 string
GRPCAction: port=1 int32 always; service=2 *string always
Lifecycle: postStart=1 *LifecycleHandler; preStop=2 *LifecycleHandler; stopSignal=3 *string
LifecycleHandler: exec=1 *ExecAction; httpGet=2 *HTTPGetAction; tcpSocket=3 *TCPSocketAction;
  sleep=4 *SleepAction
SleepAction: seconds=1 int64 always
SecurityContext: capabilities=1 *Capabilities; privileged=2 *bool;
  seLinuxOptions=3 *SELinuxOptions; windowsOptions=10 *WindowsSecurityContextOptions;
  runAsUser=4 *int64; runAsGroup=8 *int64; runAsNonRoot=5 *bool; readOnlyRootFilesystem=6 *bool;
  allowPrivilegeEscalation=7 *bool; procMount=9 *string; seccompProfile=11 *SeccompProfile;
  appArmorProfile=12 *AppArmorProfile
Capabilities: add=1 []string; drop=2 []string
SELinuxOptions: user=1 string; role=2 string; type=3 string; level=4 string
WindowsSecurityContextOptions: gmsaCredentialSpecName=1 *string; gmsaCredentialSpec=2 *string;
  runAsUserName=3 *string; hostProcess=4 *bool
SeccompProfile: type=1 string always; localhostProfile=2 *string
AppArmorProfile: type=1 string always; localhostProfile=2 *string
EphemeralContainer: .=1 EphemeralContainerCommon; targetContainerName=2 string
EphemeralContainerCommon: name=1 string always; image=2 string; command=3 []string;
  args=4 []string; workingDir=5 string;
  ports=6 []ContainerPort key(containerPort,protocol) merge(containerPort);
  envFrom=19 []EnvFromSource; env=7 []EnvVar key(name) merge(name);
  resources=8 ResourceRequirements; resizePolicy=23 []ContainerResizePolicy;
  restartPolicy=24 *string; restartPolicyRules=25 []ContainerRestartRule;
  volumeMounts=9 []VolumeMount key(mountPath) merge(mountPath);
  volumeDevices=21 []VolumeDevice key(devicePath) merge(devicePath); livenessProbe=10 *Probe;
  readinessProbe=11 *Probe; startupProbe=22 *Probe; lifecycle=12 *Lifecycle;
  terminationMessagePath=13 string; terminationMessagePolicy=20 string; imagePullPolicy=14 string;
  securityContext=15 *SecurityContext; stdin=16 bool; stdinOnce=17 bool; tty=18 bool
PodSecurityContext: seLinuxOptions=1 *SELinuxOptions;
  windowsOptions=8 *WindowsSecurityContextOptions; runAsUser=2 *int64; runAsGroup=6 *int64;
  runAsNonRoot=3 *bool; supplementalGroups=4 []int64; supplementalGroupsPolicy=12 *string;
  fsGroup=5 *int64; sysctls=7 []Sysctl; fsGroupChangePolicy=9 *string;
  seccompProfile=10 *SeccompProfile; appArmorProfile=11 *AppArmorProfile;
  seLinuxChangePolicy=13 *string
Sysctl: name=1 string always; value=2 string always
Affinity: nodeAffinity=1 *NodeAffinity; podAffinity=2 *PodAffinity;
  podAntiAffinity=3 *PodAntiAffinity
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution=1 *NodeSelector;
  preferredDuringSchedulingIgnoredDuringExecution=2 []PreferredSchedulingTerm
NodeSelector atomic: nodeSelectorTerms=1 []NodeSelectorTerm always
NodeSelectorTerm atomic: matchExpressions=1 []NodeSelectorRequirement;
  matchFields=2 []NodeSelectorRequirement
NodeSelectorRequirement: key=1 string always; operator=2 string always; values=3 []string
PreferredSchedulingTerm: weight=1 int32 always; preference=2 NodeSelectorTerm
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution=1 []PodAffinityTerm;
  preferredDuringSchedulingIgnoredDuringExecution=2 []WeightedPodAffinityTerm
PodAffinityTerm: labelSelector=1 *LabelSelector; namespaces=2 []string;
  topologyKey=3 string always; namespaceSelector=4 *LabelSelector; matchLabelKeys=5 []string;
  mismatchLabelKeys=6 []string
WeightedPodAffinityTerm: weight=1 int32 always; podAffinityTerm=2 PodAffinityTerm
PodAntiAffinity: requiredDuringSchedulingIgnoredDuringExecution=1 []PodAffinityTerm;
  preferredDuringSchedulingIgnoredDuringExecution=2 []WeightedPodAffinityTerm
Toleration: key=1 string; operator=2 string; value=3 string; effect=4 string;
  tolerationSeconds=5 *int64
HostAlias: ip=1 string always; hostnames=2 []string
PodDNSConfig: nameservers=1 []string; searches=2 []string; options=3 []PodDNSConfigOption
PodDNSConfigOption: name=1 string; value=2 *string
PodReadinessGate: conditionType=1 string always
TopologySpreadConstraint: maxSkew=1 int32 always; topologyKey=2 string always;
  whenUnsatisfiable=3 string always; labelSelector=4 *LabelSelector; minDomains=5 *int32;
  nodeAffinityPolicy=6 *string; nodeTaintsPolicy=7 *string; matchLabelKeys=8 []string
PodOS: name=1 string always
PodSchedulingGate: name=1 string always
PodResourceClaim: name=1 string always; resourceClaimName=3 *string;
  resourceClaimTemplateName=4 *string
PodSchedulingGroup: podGroupName=1 *string
PodStatus: observedGeneration=17 int64; phase=1 string;
  conditions=2 []PodCondition key(type) merge(type); message=3 string; reason=4 string;
  nominatedNodeName=11 string; hostIP=5 string; hostIPs=16 []HostIP merge(ip); podIP=6 string;
  podIPs=12 []PodIP key(ip) merge(ip); startTime=7 *time;
  initContainerStatuses=10 []ContainerStatus; containerStatuses=8 []ContainerStatus;
  qosClass=9 string; ephemeralContainerStatuses=13 []ContainerStatus; resize=14 string;
  resourceClaimStatuses=15 []PodResourceClaimStatus key(name) merge(name) retain;
  extendedResourceClaimStatus=18 *PodExtendedResourceClaimStatus;
  allocatedResources=19 map quantity; resources=20 *ResourceRequirements;
  nodeAllocatableResourceClaimStatuses=21 []NodeAllocatableResourceClaimStatus
PodCondition: type=1 string always; observedGeneration=7 int64; status=2 string always;
  lastProbeTime=3 time; lastTransitionTime=4 time; reason=5 string; message=6 string
HostIP: ip=1 string always
PodIP: ip=1 string always
ContainerStatus: name=1 string always; state=2 ContainerState; lastState=3 ContainerState;
  ready=4 bool always; restartCount=5 int32 always; image=6 string always;
  imageID=7 string always; containerID=8 string; started=9 *bool;
  allocatedResources=10 map quantity; resources=11 *ResourceRequirements;
  volumeMounts=12 []VolumeMountStatus key(mountPath) merge(mountPath); user=13 *ContainerUser;
  allocatedResourcesStatus=14 []ResourceStatus key(name) merge(name); stopSignal=15 *string
ContainerState: waiting=1 *ContainerStateWaiting; running=2 *ContainerStateRunning;
  terminated=3 *ContainerStateTerminated
ContainerStateWaiting: reason=1 string; message=2 string
ContainerStateRunning: startedAt=1 time
ContainerStateTerminated: exitCode=1 int32 always; signal=2 int32; reason=3 string;
  message=4 string; startedAt=5 time; finishedAt=6 time; containerID=7 string
VolumeMountStatus: name=1 string always; mountPath=2 string always; readOnly=3 bool;
  recursiveReadOnly=4 *string; volumeStatus=5 *VolumeStatus
VolumeStatus: image=1 *ImageVolumeStatus
ContainerUser: linux=1 *LinuxContainerUser
LinuxContainerUser: uid=1 int64 always; gid=2 int64 always; supplementalGroups=3 []int64
ResourceStatus: name=1 string always; resources=2 []ResourceHealth key(resourceID)
ResourceHealth: resourceID=1 string always; health=2 string; message=6 *string
PodResourceClaimStatus: name=1 string always; resourceClaimName=2 *string
PodExtendedResourceClaimStatus: requestMappings=1 []ContainerExtendedResourceRequest always;
  resourceClaimName=2 string always
ContainerExtendedResourceRequest: containerName=1 string always; resourceName=2 string always;
  requestName=3 string always
NodeAllocatableResourceClaimStatus: resourceClaimName=1 string always; containers=2 []string set;
  resources=3 map quantity always
`;
