package kafkatasks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

var kills = flag.Int("kills", 6, "how many processes TestDoAcrossAKill kills")

// killedVar is set for the process that is to be killed: "URL of the cloud, instance, file of its Wait".
const killedVar = "TASKWAIT_KILLED_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(killedVar) != "" {
		os.Exit(killedProcess(os.Getenv(killedVar)))
	}
	os.Exit(m.Run())
}

// killedProcess is what a user's process would be: it grows an instance, and keeps in a file what the next one needs.
func killedProcess(args string) int {
	var cloudURL, instanceID, file string
	if n, err := fmt.Sscan(args, &cloudURL, &instanceID, &file); n != 3 {
		fmt.Fprintln(os.Stderr, args, err)
		return 3
	}
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).
		WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint(cloudURL).WithCredential(credential).SafeBuild()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	source := kafkatasks.New(kafka.NewKafkaClient(client), instanceID)
	waiter, err := taskwait.New(source, taskwait.WithTimeout(10*time.Minute),
		taskwait.WithInterval(20*time.Millisecond, 60*time.Millisecond))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	op := source.Operation("resize", resize(instanceID, 600))
	op.Save = func(w *taskwait.Wait) error {
		b, err := json.Marshal(w)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file+".new", b, 0o600); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	}
	if b, err := os.ReadFile(file); err == nil {
		op.Wait = &taskwait.Wait{}
		if err := json.Unmarshal(b, op.Wait); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
	}
	if _, err := waiter.Do(context.Background(), op); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestDoAcrossAKill kills real processes by SIGKILL, at random moments between their first and their last request, and
// lets another one finish: the service has carried out one operation for each instance, and its verdict is the outcome.
//
//	go test -run TestDoAcrossAKill -v ./huawei/kafkatasks -kills 200
func TestDoAcrossAKill(t *testing.T) {
	t.Parallel()
	cloud := fakekafka.New(fakecloud.WithLatency(40 * time.Millisecond))
	server, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	cloud.OnResize(fakekafka.Script{Duration: 300 * time.Millisecond})
	usual := killOne(t, cloud, server.URL, "whole", -1)
	t.Logf("a whole process takes %v from its first to its last request", usual)
	var all sync.WaitGroup
	for i, room := 0, make(chan struct{}, 24); i < *kills; i++ {
		room <- struct{}{}
		all.Go(func() {
			killOne(t, cloud, server.URL, fmt.Sprintf("kafka-%d", i), time.Duration(rand.Float64()*float64(usual)))
			<-room
		})
	}
	all.Wait()
}

// killOne runs a process, kills it some time after its first request, and lets another one finish; after −1: it is not
// killed. It returns how long after its first request the process has ended.
func killOne(t *testing.T, cloud *fakekafka.Cloud, cloudURL, instanceID string, after time.Duration) time.Duration {
	cloud.AddInstance(instanceID)
	args := fmt.Sprintf("%s %s %s", cloudURL, instanceID, filepath.Join(t.TempDir(), "wait.json"))
	var said bytes.Buffer
	process := func() *exec.Cmd {
		p := exec.CommandContext(t.Context(), os.Args[0])
		p.Env, p.Stderr = append(os.Environ(), killedVar+"="+args), &said
		return p
	}
	first := process()
	if err := first.Start(); err != nil {
		t.Error(err)
		return 0
	}
	for !wasAsked(cloud, instanceID) && t.Context().Err() == nil {
		time.Sleep(time.Millisecond)
	}
	begun := time.Now()
	var err error
	if after >= 0 {
		time.Sleep(after)
		_ = first.Process.Kill() // it may have ended
		_ = first.Wait()
		err = process().Run()
	} else {
		err = first.Wait()
	}
	if err != nil {
		t.Errorf("killed after %v: the process that followed: %v\n%s", after, err, &said)
	}
	carriedOut := 0
	for _, o := range cloud.Operations() {
		if o.Route == fakekafka.RouteResize && o.InstanceID == instanceID {
			carriedOut++
		}
	}
	if state, _ := cloud.Instance(instanceID); carriedOut != 1 || state.Storage != 600 {
		t.Errorf("killed after %v: %d operations, and %d GB; want one, and 600", after, carriedOut, state.Storage)
	}
	return time.Since(begun)
}

// wasAsked reports whether there was a request about an instance.
func wasAsked(cloud *fakekafka.Cloud, instanceID string) bool {
	for _, r := range cloud.Requests() {
		if strings.Contains(r.Path, "/"+instanceID+"/") {
			return true
		}
	}
	return false
}
