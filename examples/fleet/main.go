// Fleet rolls a change out over 20 instances, five at a time, and waits for its 400 tasks: one loop for each instance, a
// quota that all of them keep to, and a line that tells how far it is. The next five are begun when nothing has failed.
//
//	go run ./examples/fleet
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"golang.org/x/term"
	"golang.org/x/time/rate"
)

const (
	instances = 20
	atOnce    = 5
	tasksEach = 20
	quota     = 50 // requests a second, for the account
)

func main() {
	cloud := fakekafka.New(fakecloud.WithLatency(20*time.Millisecond), fakecloud.WithQuota(quota))
	live := io.Discard
	if term.IsTerminal(int(os.Stderr.Fd())) { //nolint:gosec // a small number
		live = os.Stderr
	}
	if err := run(context.Background(), cloud, os.Stdout, live); err != nil {
		log.Fatal(err)
	}
}

// run makes the rollout. It writes what has come of it to out, and how far it is to live.
func run(ctx context.Context, cloud *fakekafka.Cloud, out, live io.Writer) error {
	client, err := connect(cloud)
	if err != nil {
		return err
	}
	f := &fleet{
		cloud: cloud, client: client, total: instances * tasksEach, live: live,
		limiter: taskwait.NewLimiter(rate.NewLimiter(quota-1, 1)), // one fewer, for what is not as regular as it should be
	}
	for first := 1; first <= instances; first += atOnce {
		if err := f.wave(ctx, first, first+atOnce); err != nil {
			return fmt.Errorf("stopped after instance %d: %w", first+atOnce-1, err)
		}
		fmt.Fprint(live, "\r\x1b[K") // clears the line
		fmt.Fprintf(out, "instances %d to %d: %d of %d tasks done\n", first, first+atOnce-1, f.done, f.total)
	}
	return nil
}

// fleet is a rollout on its way.
type fleet struct {
	cloud   *fakekafka.Cloud
	client  *kafka.KafkaClient
	limiter *taskwait.Limiter
	live    io.Writer

	mu                  sync.Mutex
	done, failed, total int
}

// wave changes the instances from first to the one before end.
func (f *fleet) wave(ctx context.Context, first, end int) error {
	errs := make([]error, end-first)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = f.change(ctx, fmt.Sprintf("kafka-%d", first+i)) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// change changes one instance, and waits for all that this has started.
func (f *fleet) change(ctx context.Context, instanceID string) error {
	waiter, err := taskwait.New(kafkatasks.New(f.client, instanceID), taskwait.WithLimiter(f.limiter),
		taskwait.WithTimeout(time.Minute), taskwait.WithInterval(500*time.Millisecond, 2*time.Second)) // the tasks here take seconds, not minutes
	if err != nil {
		return err
	}
	var errs []error
	for _, err := range waiter.WaitForTasks(ctx, f.start(instanceID)) {
		f.tell(err)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// start begins the change of an instance, and returns the ids of its tasks.
func (f *fleet) start(instanceID string) (ids []string) {
	for range tasksEach {
		takes := 500*time.Millisecond + rand.N(1500*time.Millisecond)
		ids = append(ids, f.cloud.AddTask(instanceID, fakekafka.Script{Name: "kafkaConfigModify", Duration: takes}))
	}
	return ids
}

// tell counts a result, and shows how far the whole is.
func (f *fleet) tell(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done++; err != nil {
		f.failed++
	}
	fmt.Fprintf(f.live, "\r%d of %d tasks done, %d failed, %d requests", f.done, f.total, f.failed, len(f.cloud.Requests()))
}

func connect(cloud *fakekafka.Cloud) (*kafka.KafkaClient, error) {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	client, err := kafka.KafkaClientBuilder().
		WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	return kafka.NewKafkaClient(client), nil
}
