package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// The default timeouts. The service takes minutes for an instance, and longer for one that moves data.
const (
	createTimeout = 50 * time.Minute
	updateTimeout = 2 * time.Hour
	deleteTimeout = 15 * time.Minute
	readTimeout   = 5 * time.Minute
)

// createFailed is the status of an instance that will never run.
const createFailed = "CREATEFAILED"

// instanceResource is a Kafka instance, whose storage can be extended.
type instanceResource struct{ cloud *cloud }

var (
	_ resource.ResourceWithConfigure   = (*instanceResource)(nil)
	_ resource.ResourceWithImportState = (*instanceResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*instanceResource)(nil)
)

// Configure takes the client.
func (r *instanceResource) Configure(
	_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse,
) {
	r.cloud, _ = req.ProviderData.(*cloud) // nil before the provider is configured
}

// Create creates an instance, or adopts the one that an interrupted apply has begun.
func (r *instanceResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m instanceModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	timeout, d := m.Timeouts.Create(ctx, createTimeout)
	resp.Diagnostics.Append(d...)
	op := r.creation(ctx, &m, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	b := &begun{Operation: creating, Began: time.Now()}
	n := m.ending(creating, "create", timeout)
	task, err := r.cloud.do(ctx, kafkatasks.UntilRunning(r.cloud.client), op, timeout)
	if task.ID == "" || errors.Is(err, taskwait.ErrOutcomeUnknown) { // there is none, as far as is known
		n.fail(err, &resp.Diagnostics)
		return
	}
	r.cloud.take(task.ID) // also where its answer was lost
	m.ID, m.Status, m.ConnectAddress = types.StringValue(task.ID), types.StringValue(cmp.Or(task.Phase, "CREATING")),
		types.StringNull()
	switch {
	case unfinished(err):
		b.Wait = waitOf(err)
		keep(ctx, resp.Private, b, &resp.Diagnostics)
		n.warn(err, &resp.Diagnostics)
	case err != nil:
		n.fail(err, &resp.Diagnostics) // with a state: it is tainted
	default:
		b = r.reach(ctx, &m, n.timeout, timeout, &resp.Diagnostics)
		keep(ctx, resp.Private, b, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// creation is the operation that creates m, unless an instance of it is there.
func (r *instanceResource) creation(
	ctx context.Context, m *instanceModel, diags *diag.Diagnostics,
) taskwait.Operation {
	var zones []string
	diags.Append(m.Zones.ElementsAs(ctx, &zones, false)...)
	name := m.Name.ValueString()
	op := kafkatasks.UntilRunning(r.cloud.client).Create(name, r.cloud.create(m, zones))
	send := op.Start
	op.Before = nil // what is ours is known by its claim, whatever was there before
	op.Find = func(ctx context.Context, _ taskwait.Attempt) ([]taskwait.Task, error) {
		return r.cloud.claimed(ctx, name)
	}
	op.Start = func(ctx context.Context, a taskwait.Attempt) (string, error) {
		ours, err := r.cloud.claimed(ctx, name)
		switch {
		case err != nil:
			return "", huawei.NotSent(err)
		case len(ours) > 1:
			return "", severalClaimed(name, ours)
		case len(ours) == 1 && r.cloud.take(ours[0].ID):
			tflog.Info(ctx, op.Name+": adopted", map[string]any{"id": ours[0].ID, "status": ours[0].Phase})
			return ours[0].ID, nil
		}
		id, err := send(ctx, a)
		if err == nil {
			r.cloud.take(id)
		}
		return id, err
	}
	return op
}

// Read brings the state up to date, and goes on with what an apply has stopped waiting for, by one poll.
func (r *instanceResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m instanceModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	b := load(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if b != nil {
		keep(ctx, resp.Private, r.poll(ctx, &m, b, &resp.Diagnostics), &resp.Diagnostics)
	}
	i, err := read(ctx, r.cloud, m.ID.ValueString(), r.cloud.show)
	switch {
	case gone(err):
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.AddAttributeError(path.Root("id"), "Kafka instance cannot be read", err.Error())
		return
	}
	resp.Diagnostics.Append(m.set(ctx, i)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	if claim := r.cloud.claim(m.Name.ValueString()); tagged(i.Tags, claim) && value(i.Status) == "RUNNING" {
		if err := r.cloud.release(ctx, m.ID.ValueString(), claim); err != nil { // the next refresh tries again
			tflog.Warn(ctx, "claim not released", map[string]any{"id": m.ID.ValueString(), "error": err.Error()})
		}
	}
}

// poll makes the next poll of what was begun, and returns what is left of it; nil: it is over.
func (r *instanceResource) poll(ctx context.Context, m *instanceModel, b *begun, diags *diag.Diagnostics) *begun {
	if b.Wait.ID == "" {
		return b // there is no task to poll yet: the next apply finds it
	}
	var source taskwait.Source = kafkatasks.UntilRunning(r.cloud.client)
	if b.Operation == extending {
		source = kafkatasks.New(r.cloud.client, m.ID.ValueString())
	}
	waiter, err := r.cloud.waiter(source)
	if err != nil {
		return b
	}
	p, err := waiter.Poll(ctx, b.Wait, taskwait.WithConfirmations(1)) // it has had its time to settle
	n := m.ending(b.Operation, "update", 0)
	switch {
	case !p.Done || unfinished(err), errors.Is(err, taskwait.ErrInvalidOption): // it takes Do, in the next apply
		return b
	case err != nil:
		diags.AddAttributeWarning(n.attribute, "Failed: "+n.what, fmt.Sprintf("Last seen: %s.\n%v", seen(p.Task), err))
	}
	return nil
}

// ModifyPlan plans to wait for what has not ended yet, and to replace what has failed to be created.
func (r *instanceResource) ModifyPlan(
	ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
) {
	if req.State.Raw.IsNull() || req.Plan.Raw.IsNull() {
		return // to be created, or to be destroyed
	}
	var status types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("status"), &status)...)
	b := load(ctx, req.Private, &resp.Diagnostics)
	failed := status.ValueString() == createFailed
	if b == nil && !failed {
		return
	}
	for _, name := range []string{"status", "connect_address"} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), types.StringUnknown())...)
	}
	if failed {
		resp.RequiresReplace.Append(path.Root("status"))
	}
}

// Update waits for what an earlier apply has stopped waiting for, and extends the storage.
func (r *instanceResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, before instanceModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &before)...)
	timeout, d := m.Timeouts.Update(ctx, updateTimeout)
	resp.Diagnostics.Append(d...)
	left := load(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	m.Status, m.ConnectAddress = before.Status, before.ConnectAddress
	if left != nil {
		left = r.goOn(ctx, &m, left, timeout, &resp.Diagnostics)
	}
	if left == nil && !resp.Diagnostics.HasError() {
		left = r.reach(ctx, &m, path.Root("timeouts").AtName("update"), timeout, &resp.Diagnostics)
	}
	keep(ctx, resp.Private, left, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() { // else the state stays as it was
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// goOn waits for what was begun. It returns what is still under way; nil: nothing.
func (r *instanceResource) goOn(
	ctx context.Context, m *instanceModel, b *begun, timeout time.Duration, diags *diag.Diagnostics,
) *begun {
	var source taskwait.Source = kafkatasks.UntilRunning(r.cloud.client)
	op := r.creation(ctx, m, diags)
	if b.Operation == extending {
		source, op = r.extension(m.ID.ValueString(), b.Storage)
	}
	op.Wait = b.Wait
	// The budget of the wait began with the operation: this apply adds its own.
	_, err := r.cloud.do(ctx, source, op, time.Since(b.Began)+timeout)
	n := m.ending(b.Operation, "update", timeout)
	switch {
	case unfinished(err):
		n.warn(err, diags)
		return &begun{b.Operation, b.Storage, b.Began, waitOf(err)}
	case err != nil:
		n.fail(err, diags)
	}
	return nil
}

// reach extends the storage of an instance that runs to what m says, if it is smaller, and reads the instance into m.
// It returns what is still under way; nil: nothing.
func (r *instanceResource) reach(
	ctx context.Context, m *instanceModel, bound path.Path, timeout time.Duration, diags *diag.Diagnostics,
) *begun {
	id, want := m.ID.ValueString(), *m
	i, err := read(ctx, r.cloud, id, r.cloud.show)
	if err == nil && int64(value(i.TotalStorageSpace)) < want.Storage.ValueInt64() {
		n := m.ending(extending, "", timeout)
		n.timeout = bound
		b := &begun{Operation: extending, Storage: want.Storage.ValueInt64(), Began: time.Now()}
		source, op := r.extension(id, b.Storage)
		_, err = r.cloud.do(ctx, source, op, timeout)
		switch {
		case unfinished(err):
			b.Wait = waitOf(err)
			n.warn(err, diags)
			m.Status, m.ConnectAddress = types.StringPointerValue(i.Status), types.StringPointerValue(i.ConnectAddress)
			return b
		case err != nil:
			n.fail(err, diags)
			diags.Append(m.set(ctx, i)...)
			return nil
		}
		i, err = read(ctx, r.cloud, id, r.cloud.show)
	}
	if err != nil { // an error would taint what runs
		diags.AddAttributeWarning(path.Root("id"), "Kafka instance cannot be read", "The next refresh reads it. "+err.Error())
		return nil
	}
	diags.Append(m.set(ctx, i)...)
	want.differs(m, diags)
	return nil
}

// extension is the operation that gives an instance this storage, unless that was begun before, and the Source of its
// task.
func (r *instanceResource) extension(id string, gigabytes int64) (*kafkatasks.Source, taskwait.Operation) {
	source := kafkatasks.New(r.cloud.client, id)
	op := source.Operation(fmt.Sprintf("extend to %d GB", gigabytes), extend(id, gigabytes))
	send := op.Start
	op.Start = func(ctx context.Context, a taskwait.Attempt) (string, error) {
		before, err := r.cloud.extension(ctx, id, gigabytes)
		switch {
		case err != nil:
			return "", huawei.NotSent(err)
		case before != "":
			tflog.Info(ctx, op.Name+": begun before", map[string]any{"id": before})
			return before, nil
		}
		return send(ctx, a)
	}
	return source, op
}

// Delete deletes an instance, and waits until it is gone.
func (r *instanceResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m instanceModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	timeout, d := m.Timeouts.Delete(ctx, deleteTimeout)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	source := kafkatasks.UntilDeleted(r.cloud.client)
	op := source.Delete(m.ID.ValueString())
	send := op.Start
	op.Start = func(ctx context.Context, a taskwait.Attempt) (string, error) {
		if t, err := source.Task(ctx, m.ID.ValueString()); err != nil {
			return "", huawei.NotSent(err)
		} else if t.Phase == "DELETING" || t.Status.Succeeded() { // an interrupted destroy has begun it
			return t.ID, nil
		}
		return send(ctx, a)
	}
	if _, err := r.cloud.do(ctx, source, op, timeout); err != nil {
		m.ending("deleting", "delete", timeout).fail(err, &resp.Diagnostics)
	}
}

// ImportState takes an instance by its id.
func (*instanceResource) ImportState(
	ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse,
) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

func waitOf(err error) *taskwait.Wait {
	var e *taskwait.WaitError
	_ = errors.As(err, &e)
	return e.Wait
}
