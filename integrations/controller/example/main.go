// Example is a controller that waits for the background task of each KafkaTask in a cluster. The SDK finds the keys in
// the environment.
package main

import (
	"context"
	"log"
	"os"
	"reflect"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/integrations/controller"
	"golang.org/x/time/rate"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// KafkaTask is a task that somebody has started.
type KafkaTask struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec struct {
		InstanceID string `json:"instanceID"`
		TaskID     string `json:"taskID"`
	} `json:"spec"`
	Status controller.TaskStatus `json:"status,omitempty"`
}

// KafkaTaskList is what the manager's cache lists.
type KafkaTaskList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []KafkaTask `json:"items"`
}

// Reconciler waits for the tasks.
type Reconciler struct {
	client.Client
	Kafka *kafka.KafkaClient
	Limit *taskwait.Limiter // of all tasks together
}

// Reconcile makes the next poll of a task, if it is due.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var k KafkaTask
	if err := r.Get(ctx, req.NamespacedName, &k); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	waiter, err := taskwait.New(kafkatasks.New(r.Kafka, k.Spec.InstanceID),
		taskwait.WithLimiter(r.Limit), taskwait.WithTimeout(2*time.Hour))
	if err != nil {
		return reconcile.Result{}, err
	}
	before := k.deepCopy()
	result, err := controller.Poll(ctx, waiter, k.Spec.TaskID, k.Generation, &k.Status)
	if err != nil || reflect.DeepEqual(before.Status, k.Status) {
		return result, err
	}
	return result, r.Status().Patch(ctx, &k, client.MergeFrom(before))
}

func main() {
	sdk, err := kafka.KafkaClientBuilder().WithEndpoint(os.Getenv("TASKWAIT_ENDPOINT")).SafeBuild()
	if err != nil {
		log.Fatal(err)
	}
	m, err := manager.New(config.GetConfigOrDie(), manager.Options{Scheme: scheme()})
	if err != nil {
		log.Fatal(err)
	}
	r := &Reconciler{m.GetClient(), kafka.NewKafkaClient(sdk), taskwait.NewLimiter(rate.NewLimiter(8, 1))}
	if err := builder.ControllerManagedBy(m).For(&KafkaTask{}).Complete(r); err != nil {
		log.Fatal(err)
	}
	log.Fatal(m.Start(signals.SetupSignalHandler()))
}

func scheme() *runtime.Scheme {
	s, v := runtime.NewScheme(), schema.GroupVersion{Group: "example.com", Version: "v1"}
	s.AddKnownTypes(v, &KafkaTask{}, &KafkaTaskList{})
	metav1.AddToGroupVersion(s, v)
	return s
}

// What follows is what controller-gen would write.

func (k *KafkaTask) deepCopy() *KafkaTask {
	c := *k
	k.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	k.Status.DeepCopyInto(&c.Status)
	return &c
}

// DeepCopyObject implements runtime.Object.
func (k *KafkaTask) DeepCopyObject() runtime.Object { return k.deepCopy() }

// DeepCopyObject implements runtime.Object.
func (l *KafkaTaskList) DeepCopyObject() runtime.Object {
	c := *l
	l.ListMeta.DeepCopyInto(&c.ListMeta)
	c.Items = make([]KafkaTask, len(l.Items))
	for i := range l.Items {
		c.Items[i] = *l.Items[i].deepCopy()
	}
	return &c
}
