package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
)

// instanceModel is the configuration and the state of an instance.
type instanceModel struct {
	ID             types.String   `tfsdk:"id"`
	Name           types.String   `tfsdk:"name"`
	Product        types.String   `tfsdk:"product"`
	Brokers        types.Int64    `tfsdk:"brokers"`
	Storage        types.Int64    `tfsdk:"storage"`
	VPC            types.String   `tfsdk:"vpc_id"`
	Subnet         types.String   `tfsdk:"subnet_id"`
	SecurityGroup  types.String   `tfsdk:"security_group_id"`
	Zones          types.Set      `tfsdk:"availability_zones"`
	Status         types.String   `tfsdk:"status"`
	ConnectAddress types.String   `tfsdk:"connect_address"`
	Timeouts       timeouts.Value `tfsdk:"timeouts"`
}

// Metadata names the resource.
func (*instanceResource) Metadata(
	_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse,
) {
	resp.TypeName = req.ProviderTypeName + "_kafka_instance"
}

// Schema says what is configured.
func (*instanceResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	fixed := func(what string) schema.StringAttribute {
		return schema.StringAttribute{
			Required: true, Description: what,
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		}
	}
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"id": schema.StringAttribute{
			Computed: true, Description: "Id of the instance.",
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"name":              fixed("Name of the instance, which no other one of the owner has."),
		"product":           fixed("Id of the product, such as c6.2u4g.cluster."),
		"vpc_id":            fixed("Id of the VPC."),
		"subnet_id":         fixed("Id of the subnet."),
		"security_group_id": fixed("Id of the security group."),
		"availability_zones": schema.SetAttribute{
			Required: true, ElementType: types.StringType, Description: "Ids of the availability zones.",
			PlanModifiers: []planmodifier.Set{setplanmodifier.RequiresReplace()},
		},
		"brokers": schema.Int64Attribute{
			Required: true, Description: "Number of brokers.",
			PlanModifiers: []planmodifier.Int64{int64planmodifier.RequiresReplace()},
		},
		"storage": schema.Int64Attribute{
			Required: true, Description: "GB, of all brokers. More extends the instance; less replaces it.",
			PlanModifiers: []planmodifier.Int64{int64planmodifier.RequiresReplaceIf(
				func(_ context.Context, req planmodifier.Int64Request, resp *int64planmodifier.RequiresReplaceIfFuncResponse) {
					resp.RequiresReplace = req.PlanValue.ValueInt64() < req.StateValue.ValueInt64()
				}, "less storage", "less storage")},
		},
		"status":          schema.StringAttribute{Computed: true, Description: "The service's own word, such as RUNNING."},
		"connect_address": schema.StringAttribute{Computed: true, Description: "Where clients connect."},
		"timeouts":        timeouts.Attributes(ctx, timeouts.Opts{Create: true, Update: true, Delete: true}),
	}}
}

// set reads an instance into m.
func (m *instanceModel) set(ctx context.Context, i *model.ShowInstanceResponse) diag.Diagnostics {
	m.ID, m.Name = types.StringPointerValue(i.InstanceId), types.StringPointerValue(i.Name)
	m.Product, m.Brokers = types.StringPointerValue(i.ProductId), types.Int64Value(int64(value(i.BrokerNum)))
	m.Storage = types.Int64Value(int64(value(i.TotalStorageSpace)))
	m.VPC, m.Subnet = types.StringPointerValue(i.VpcId), types.StringPointerValue(i.SubnetId)
	m.SecurityGroup = types.StringPointerValue(i.SecurityGroupId)
	m.Status, m.ConnectAddress = types.StringPointerValue(i.Status), types.StringPointerValue(i.ConnectAddress)
	zones, diags := types.SetValueFrom(ctx, types.StringType, value(i.AvailableZones))
	m.Zones = zones
	return diags
}

// differs says in diagnostics what an instance has that was adopted, and was begun by another configuration. The
// resource is tainted then, so that the next apply replaces the instance.
func (m *instanceModel) differs(is *instanceModel, diags *diag.Diagnostics) {
	for _, a := range []struct {
		name     string
		want, is interface{ String() string }
	}{
		{"product", m.Product, is.Product}, {"brokers", m.Brokers, is.Brokers}, {"storage", m.Storage, is.Storage},
		{"vpc_id", m.VPC, is.VPC}, {"subnet_id", m.Subnet, is.Subnet},
		{"security_group_id", m.SecurityGroup, is.SecurityGroup}, {"availability_zones", m.Zones, is.Zones},
	} {
		if a.want.String() != a.is.String() {
			diags.AddAttributeError(path.Root(a.name), "Kafka instance has another "+a.name, fmt.Sprintf(
				"Last seen: %s.\nAn interrupted apply has begun it with %s, the configuration has %s.\n\n"+
					"What to do: apply again, which replaces the instance.", is.Status.ValueString(), a.is, a.want))
		}
	}
}

// ending is what diagnostics say of an operation on m that did not end well. bound is the attribute of its timeout.
func (m *instanceModel) ending(operation, bound string, timeout time.Duration) *ending {
	n := &ending{
		what:      fmt.Sprintf("%s Kafka instance %q", operation, m.Name.ValueString()),
		attribute: path.Root("id"), timeout: path.Root("timeouts").AtName(bound), bound: timeout,
	}
	switch operation {
	case creating:
		n.attribute, n.next = path.Root("name"), " That replaces the instance."
	case extending:
		n.attribute, n.next = path.Root("storage"), " The instance is as it was, and stays."
	}
	return n
}
