# Matching by prototypes: settings shared by the matching head of saip.py and
# the head of dino.py
prototypes = dict(
    decoder=dict(
        type='ImageDecoder',
        hidden_dims=2048,  # DINO
        bottleneck_dims=256,  # DINO
        num_prototypes=65536),  # DINO
    student_temperature=0.1,  # DINO
    expert_temperature=0.04,  # DINO; raised by ExpertTemperatureHook
    center_momentum=0.9)  # DINO
