package kafka

import (
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// WithRecycleBin keeps deleted instances, as RECYCLE, until they are restored or deleted by force. Default: they are
// gone.
func WithRecycleBin() fakecloud.Option { return option(func(c *Cloud) { c.recycleBin = true }) }

// retentionDays is how long the recycle bin is said to keep an instance. Here it is kept forever.
const retentionDays = 7

// recycledRow is an instance in the recycle bin as the API shows it.
type recycledRow struct {
	ID        string  `json:"instance_id"`
	Status    string  `json:"status"`
	Name      string  `json:"name"`
	Engine    string  `json:"engine"`
	Since     int64   `json:"in_recycle_time"` // milliseconds since 1970
	Days      int     `json:"save_time"`
	DeletedAt int64   `json:"auto_delete_time"`
	Cost      float64 `json:"cost_per_hour"`
	Error     string  `json:"error_message"`
	Product   string  `json:"product_id"`
}

func (c *Cloud) listRecycled(e *exchange) {
	rows := []recycledRow{}
	for _, i := range c.newestFirst() {
		if i.status(e.Now) != recycled {
			continue
		}
		last := i.phases[len(i.phases)-1]
		since := e.Clock(last.start.Add(last.steps[len(last.steps)-1].After))
		rows = append(rows, recycledRow{
			ID: i.id, Status: recycled, Name: i.Name, Engine: i.Engine, Since: since.UnixMilli(), Days: retentionDays,
			DeletedAt: since.Add(retentionDays * 24 * time.Hour).UnixMilli(), Product: i.Product,
		})
	}
	e.Payload = &struct {
		Days    int           `json:"retention_days"`
		Default bool          `json:"default_use_recycle"`
		Rows    []recycledRow `json:"recycle_instances"`
	}{retentionDays, c.recycleBin, rows}
}

// restored is what became of one of many.
type restored struct {
	ID    string `json:"instance_id"`
	JobID string `json:"job_id,omitempty"`
	Error string `json:"error_msg,omitempty"`
}

// restoreInstances starts a task for each instance that is in the recycle bin; it is RUNNING when that has ended well.
func (c *Cloud) restoreInstances(e *exchange) {
	var asked struct {
		Instances []string `json:"instances"`
	}
	if !e.asked(&asked) {
		return
	}
	if len(asked.Instances) == 0 {
		e.invalid()
		return
	}
	results := []restored{}
	for _, id := range asked.Instances {
		results = append(results, c.restore(e, id))
	}
	e.Payload = &struct {
		Results []restored `json:"results"`
	}{results}
}

func (c *Cloud) restore(e *exchange, id string) restored {
	i := c.instances[id]
	switch err := c.refusal(e, i, recycled); {
	case err != nil:
		return restored{ID: id, Error: err.message}
	case i.status(e.Now) != recycled:
		return restored{ID: id, Error: errStatus.message}
	}
	t := c.begin(e, i, taskNames[e.Route], map[string]any{}, nil)
	if after, status := t.end(); status == "SUCCESS" {
		i.phases = append(i.phases, phase{t.CreatedAt, []StatusStep{{0, recycled}, {after, running}}})
	}
	return restored{ID: id, JobID: t.ID}
}
