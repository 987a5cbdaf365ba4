"""Asks a node over gRPC with the client library of C++ that Python's clients stand on.

Usage: grpc_client.py HOST:PORT PROTO. Prints one JSON document of what came back.
The models it asks: `mixer` (x [N, 4] to y [N, 3], z [N, 4]) and `wide` (x [N, 400000] to its positive part).
"""
import json
import os
import struct
import sys
import tempfile

import grpc
from grpc_tools import protoc

address, proto = sys.argv[1:3]
folder = tempfile.mkdtemp()
source = os.path.dirname(proto)
protoc.main(["", f"-I{source}", f"--python_out={folder}", f"--grpc_python_out={folder}", proto])
sys.path.insert(0, folder)
import inference_pb2 as pb  # noqa: E402
import inference_pb2_grpc as stubs  # noqa: E402

WIDTH = 400_000
channel = grpc.insecure_channel(
    address,
    options=[
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_permit_without_calls", 1),
    ],
)
stub = stubs.GRPCInferenceServiceStub(channel)


def mixer(rows=1, **more):
    values = [1.0, -2.0, 3.0, -4.0] * rows
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[rows, 4])
    raw = struct.pack(f"<{len(values)}f", *values)
    return pb.ModelInferRequest(model_name="mixer", inputs=[tensor], raw_input_contents=[raw], **more)


def wide():
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, WIDTH])
    raw = struct.pack("<2f", -1.0, 2.0) * (WIDTH // 2)
    return pb.ModelInferRequest(model_name="wide", inputs=[tensor], raw_input_contents=[raw])


def code_of(ask):
    try:
        ask()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


said = {}
said["live"] = stub.ServerLive(pb.ServerLiveRequest()).live
said["inputs"] = [i.name for i in stub.ModelMetadata(pb.ModelMetadataRequest(name="mixer")).inputs]
one = stub.ModelInfer(mixer(id="one"))
said["one"] = [one.id, [list(o.shape) for o in one.outputs], one.raw_output_contents[0].hex()]

packed = stub.ModelInfer(mixer(rows=500), compression=grpc.Compression.Gzip)
said["packed"] = [list(packed.outputs[0].shape), packed.raw_output_contents[0][-12:].hex()]

large = [stub.ModelInfer.future(wide()) for _ in range(6)]
answer = struct.pack("<2f", 0.0, 2.0) * (WIDTH // 2)
said["large"] = [f.result().raw_output_contents[0] == answer for f in large]

many = [stub.ModelInfer.future(mixer(id=str(i))) for i in range(200)]
said["many"] = [f.result().id for f in many] == [str(i) for i in range(200)]

streamed = [r.infer_response.id for r in stub.ModelStreamInfer(mixer(id=str(i)) for i in range(50))]
said["streamed"] = streamed == [str(i) for i in range(50)]


def without_end():
    while True:
        yield mixer(id="again")


stream = stub.ModelStreamInfer(without_end())
next(stream)
stream.cancel()
said["cancelled"] = code_of(lambda: list(stream))
said["unknown"] = code_of(lambda: stub.ModelInfer(pb.ModelInferRequest(model_name="nobody")))
said["short"] = code_of(lambda: stub.ModelInfer(mixer(), timeout=0.000001))
said["unheard"] = code_of(
    lambda: channel.unary_unary("/inference.GRPCInferenceService/Nothing", lambda x: x, lambda x: x)(b"")
)
said["after"] = stub.ModelInfer(mixer(id="after")).id
channel.close()
print(json.dumps(said))
