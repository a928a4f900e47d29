// Command bench syncs a client-go informer on the pods of the server at os.Args[1], in os.Args[2] ("json" or "protobuf"),
// waits for os.Args[3] pods, and prints what it took as one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

func cpuMs() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func peakMb() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmHWM:") {
			kb, _ := strconv.Atoi(strings.Fields(line)[1])
			return float64(kb) / 1024
		}
	}
	return 0
}

func main() {
	config := &rest.Config{Host: os.Args[1], QPS: -1}
	if os.Args[2] == "protobuf" {
		config.ContentType = "application/vnd.kubernetes.protobuf"
	}
	wanted, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	cpu, begun := cpuMs(), time.Now()
	factory := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(config), 0)
	informer := factory.Core().V1().Pods().Informer()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		panic("not synced")
	}
	wall := time.Since(begun)
	if count := len(informer.GetStore().ListKeys()); count != wanted {
		panic(fmt.Sprintf("%d pods, wanted %d", count, wanted))
	}
	line, err := json.Marshal(map[string]float64{
		"wallMs": float64(wall.Microseconds()) / 1000, "cpuMs": cpuMs() - cpu, "peakMb": peakMb(),
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
