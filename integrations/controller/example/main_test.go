package main

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	sdkconfig "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/integrations/controller"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// connect makes a client of the SDK that reaches the cloud without a network.
func connect(t *testing.T, cloud *fakekafka.Cloud) *kafka.KafkaClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).
		WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	sdk, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(sdkconfig.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return kafka.NewKafkaClient(sdk)
}

// TestReconciler goes through the lives of two tasks. The controller is restarted after each poll, and the status is
// written with each, and not else.
func TestReconciler(t *testing.T) {
	for outcome, want := range map[taskwait.Status]metav1.ConditionStatus{
		taskwait.StatusSuccess: metav1.ConditionTrue, taskwait.StatusFailed: metav1.ConditionFalse,
	} {
		t.Run(string(outcome), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { reconcileToTheEnd(t, outcome, want) })
		})
	}
}

func reconcileToTheEnd(t *testing.T, outcome taskwait.Status, want metav1.ConditionStatus) {
	const takes = 10 * time.Minute
	begin, cloud := time.Now(), fakekafka.New()
	k := &KafkaTask{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "resize", Generation: 1}}
	k.Spec.InstanceID = "kafka-1"
	k.Spec.TaskID = cloud.AddTask("kafka-1", fakekafka.Script{Duration: takes, Outcome: outcome})
	api := fake.NewClientBuilder().WithScheme(scheme()).WithObjects(k).WithStatusSubresource(k).Build()
	sdk, req := connect(t, cloud), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(k)}
	reconcileOnce := func() (time.Duration, *KafkaTask) {
		t.Helper()
		r := &Reconciler{api, sdk, taskwait.NewLimiter(rate.NewLimiter(8, 1))} // as after a restart
		result, err := r.Reconcile(t.Context(), req)
		if err != nil {
			t.Fatalf("got %v, want no error", err)
		}
		var now KafkaTask
		if err := api.Get(t.Context(), req.NamespacedName, &now); err != nil {
			t.Fatal(err)
		}
		return result.RequeueAfter, &now
	}
	for {
		pause, polled := reconcileOnce()
		rest, again := reconcileOnce()
		if again.ResourceVersion != polled.ResourceVersion || (rest-pause).Abs() > time.Microsecond {
			t.Fatalf("got version %s and %v, want %s and %v: nothing was due", again.ResourceVersion, rest,
				polled.ResourceVersion, pause)
		}
		if pause > 0 {
			time.Sleep(pause)
			continue
		}
		c := meta.FindStatusCondition(polled.Status.Conditions, controller.TaskSucceeded)
		if d := time.Since(begin); c == nil || c.Status != want || d < takes || d > takes+time.Minute {
			t.Errorf("got %+v after %v, want %v after 10m and a pause", c, d, want)
		}
		return
	}
}

// TestGone: an object that is gone is no error.
func TestGone(t *testing.T) {
	r := &Reconciler{Client: fake.NewClientBuilder().WithScheme(scheme()).Build()}
	result, err := r.Reconcile(t.Context(), reconcile.Request{})
	if err != nil || result != (reconcile.Result{}) {
		t.Errorf("got %+v, %v, want nothing", result, err)
	}
}

// TestREADME makes sure that README.md shows this program, all of it.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(readme), "```go\n")
	if code, _, _ = strings.Cut(code, "```\n"); code != string(program) {
		t.Errorf("README.md's program is\n%s\nwant all of example/main.go", code)
	}
}
